/* SPDX-License-Identifier: Apache-2.0
 *
 * Every call that can fail, of our sources and of the libraries; the Makefile wraps what stands
 * here. CALL(function, type, what it gives when it fails, errno, parameters, arguments); DONE:
 * as close(2), which has done its work whatever it says. FORK: its child is a level deeper.
 */
CALL(malloc, void *, NULL, ENOMEM, (size_t a), (a))
CALL(calloc, void *, NULL, ENOMEM, (size_t a, size_t b), (a, b))
CALL(realloc, void *, NULL, ENOMEM, (void *a, size_t b), (a, b))
CALL(strdup, char *, NULL, ENOMEM, (const char *a), (a))

CALL(open, int, -1, EMFILE, (const char *a, int b, long c), (a, b, c))
CALL(openat, int, -1, EMFILE, (int a, const char *b, int c, long d), (a, b, c, d))
CALL(read, ssize_t, -1, EIO, (int a, void *b, size_t c), (a, b, c))
CALL(pread, ssize_t, -1, EIO, (int a, void *b, size_t c, off_t d), (a, b, c, d))
CALL(write, ssize_t, -1, ENOSPC, (int a, const void *b, size_t c), (a, b, c))
CALL(fsync, int, -1, EIO, (int a), (a))
DONE(close, int, -1, EIO, (int a), (a))
CALL(ftruncate, int, -1, EIO, (int a, off_t b), (a, b))
CALL(flock, int, -1, ENOLCK, (int a, int b), (a, b))
CALL(fcntl, int, -1, EMFILE, (int a, int b, long c), (a, b, c))
CALL(dup2, int, -1, EBADF, (int a, int b), (a, b))
CALL(ioctl, int, -1, ENOTTY, (int a, unsigned long b, long c), (a, b, c))
CALL(stat, int, -1, EIO, (const char *a, struct stat *b), (a, b))
CALL(fstat, int, -1, EIO, (int a, struct stat *b), (a, b))
CALL(fstatat, int, -1, EIO, (int a, const char *b, struct stat *c, int d), (a, b, c, d))
CALL(access, int, -1, EIO, (const char *a, int b), (a, b))
CALL(renameat, int, -1, EIO, (int a, const char *b, int c, const char *d), (a, b, c, d))
CALL(unlink, int, -1, EIO, (const char *a), (a))
CALL(unlinkat, int, -1, EIO, (int a, const char *b, int c), (a, b, c))
CALL(mkdirat, int, -1, EDQUOT, (int a, const char *b, mode_t c), (a, b, c))
CALL(fchownat, int, -1, EPERM, (int a, const char *b, uid_t c, gid_t d, int e), (a, b, c, d, e))
CALL(fdopendir, DIR *, NULL, ENOMEM, (int a), (a))
CALL(readdir, struct dirent *, NULL, EIO, (DIR * a), (a))
CALL(chdir, int, -1, EIO, (const char *a), (a))

CALL(socket, int, -1, EMFILE, (int a, int b, int c), (a, b, c))
CALL(socketpair, int, -1, EMFILE, (int a, int b, int c, int *d), (a, b, c, d))
CALL(connect, int, -1, ECONNREFUSED, (int a, const void *b, socklen_t c), (a, b, c))
CALL(send, ssize_t, -1, ECONNRESET, (int a, const void *b, size_t c, int d), (a, b, c, d))
CALL(recv, ssize_t, -1, ECONNRESET, (int a, void *b, size_t c, int d), (a, b, c, d))
CALL(getsockopt, int, -1, ENOBUFS, (int a, int b, int c, void *d, void *e), (a, b, c, d, e))
CALL(setsockopt, int, -1, ENOMEM, (int a, int b, int c, const void *d, socklen_t e),
     (a, b, c, d, e))
CALL(getsockname, int, -1, ENOBUFS, (int a, void *b, socklen_t *c), (a, b, c))
CALL(getpeername, int, -1, ENOBUFS, (int a, void *b, socklen_t *c), (a, b, c))
CALL(getaddrinfo, int, EAI_MEMORY, ENOMEM, (const char *a, const char *b, const void *c, void *d),
     (a, b, c, d))

CALL(poll, int, -1, ENOMEM, (struct pollfd * a, nfds_t b, int c), (a, b, c))
CALL(ppoll, int, -1, ENOMEM,
     (struct pollfd * a, nfds_t b, const struct timespec *c, const sigset_t *d), (a, b, c, d))
CALL(epoll_create1, int, -1, EMFILE, (int a), (a))
CALL(epoll_ctl, int, -1, ENOSPC, (int a, int b, int c, struct epoll_event *d), (a, b, c, d))
CALL(eventfd, int, -1, EMFILE, (unsigned a, int b), (a, b))
CALL(pipe2, int, -1, EMFILE, (int *a, int b), (a, b))

FORK(fork, pid_t, -1, EAGAIN, (void), ())
CALL(execvp, int, -1, ENOMEM, (const char *a, char *const *b), (a, b))
CALL(waitpid, pid_t, -1, ECHILD, (pid_t a, int *b, int c), (a, b, c))
CALL(waitid, int, -1, ECHILD, (idtype_t a, id_t b, siginfo_t *c, int d), (a, b, c, d))
CALL(kill, int, -1, EPERM, (pid_t a, int b), (a, b))
CALL(setsid, pid_t, -1, EPERM, (void), ())
CALL(setpgid, int, -1, EPERM, (pid_t a, pid_t b), (a, b))
CALL(prctl, int, -1, EINVAL, (int a, long b, long c, long d, long e), (a, b, c, d, e))
CALL(syscall, long, -1, ENOSYS, (long a, long b, long c, long d), (a, b, c, d))
CALL(getrlimit, int, -1, EPERM, (int a, struct rlimit *b), (a, b))
CALL(setrlimit, int, -1, EPERM, (int a, const struct rlimit *b), (a, b))
CALL(setitimer, int, -1, EINVAL, (int a, const struct itimerval *b, struct itimerval *c), (a, b, c))
CALL(mprotect, int, -1, ENOMEM, (void *a, size_t b, int c), (a, b, c))
CALL(pthread_create, int, EAGAIN, EAGAIN,
     (pthread_t * a, const pthread_attr_t *b, void *(*c)(void *), void *d), (a, b, c, d))

CALL(sigaction, int, -1, EINVAL, (int a, const struct sigaction *b, struct sigaction *c), (a, b, c))
CALL(sigprocmask, int, -1, EINVAL, (int a, const sigset_t *b, sigset_t *c), (a, b, c))
CALL(signal, void *, (void *)-1, EINVAL, (int a, void (*b)(int)), (a, b))

CALL(clock_gettime, int, -1, EPERM, (clockid_t a, struct timespec *b), (a, b))
CALL(getrandom, ssize_t, -1, EAGAIN, (void *a, size_t b, unsigned c), (a, b, c))
CALL(gethostname, int, -1, EPERM, (char *a, size_t b), (a, b))
CALL(regcomp, int, REG_ESPACE, ENOMEM, (regex_t * a, const char *b, int c), (a, b, c))
