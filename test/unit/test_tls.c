/* SPDX-License-Identifier: Apache-2.0 */
#include "http_test.h"

static void tls_to_who_speaks_none(void **state)
{
    char url[64];
    struct http_request request = {.url = url, .timeout_ms = 3000};
    (void)state;
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/garbage", port);
    assert_int_equal(fetch(&request), -1);
    assert_true(error.kind == ERROR_AUTH || error.kind == ERROR_NETWORK ||
                error.kind == ERROR_TIMEOUT);
    request.ca_file = in_folder("no-ca.pem");
    assert_int_equal(fetch(&request), -1);
    assert_int_equal(error.kind, ERROR_AUTH);
}

static int run_tool(const char *line)
{
    const struct process_spec spec = {.shell = line, .directory = folder, .timeout_ms = 60000};
    struct process_result result;
    int outcome = process_run(loop, &spec, &result, &error) < 0 ? -1 : result.exit_code;
    process_result_release(&result);
    return outcome;
}

static void make_certificates(void)
{
    if (run_tool("command -v openssl") != 0) {
        skip();
    }
    int code = run_tool("set -e; for n in good bad; do openssl req -x509 -newkey ec -pkeyopt "
                        "ec_paramgen_curve:prime256v1 -nodes -keyout $n.key -out $n.pem -days 2 "
                        "-subj /CN=localhost -addext subjectAltName=DNS:localhost; done");
    assert_int_equal(code, 0);
}

static pid_t start_tls_server(int tls_port)
{
    char accept[16];
    pid_t pid = fork_peer();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        snprintf(accept, sizeof(accept), "%d", tls_port);
        if (chdir(folder) == 0) {
            execlp("openssl", "openssl", "s_server", "-accept", accept, "-cert", "good.pem", "-key",
                   "good.key", "-www", (char *)NULL);
        }
        _exit(127);
    }
    return pid;
}

static void wait_for_tls(const struct http_request *request)
{
    for (int i = 0; i < 200; i++) {
        if (fetch(request) == 0 || error.kind == ERROR_AUTH) {
            return;
        }
        usleep(50000);
    }
}

static void tls_trusts_only_the_given_ca_and_name(void **state)
{
    int tls_port = 0;
    char url[64], numeric[64];
    struct http_request request = {.url = url, .timeout_ms = 5000};
    (void)state;
    make_certificates();
    close(listen_tcp(AF_INET, &tls_port));
    snprintf(url, sizeof(url), "https://localhost:%d/", tls_port);
    snprintf(numeric, sizeof(numeric), "https://127.0.0.1:%d/", tls_port);
    pid_t pid = start_tls_server(tls_port);
    request.ca_file = in_folder("good.pem");
    wait_for_tls(&request);
    assert_int_equal(reply.status, 200);
    request.ca_file = in_folder("bad.pem");
    assert_int_equal(fetch(&request), -1);
    assert_int_equal(error.kind, ERROR_AUTH);
    request.ca_file = NULL; /* the system's */
    assert_int_equal(fetch(&request), -1);
    assert_int_equal(error.kind, ERROR_AUTH);
    setenv("SSL_CERT_FILE", in_folder("good.pem"), 1);
    assert_int_equal(fetch(&request), 0);
    request.url = numeric;
    assert_int_equal(fetch(&request), -1);
    assert_int_equal(error.kind, ERROR_AUTH);
    unsetenv("SSL_CERT_FILE");
    end_peer(pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tls_to_who_speaks_none),
        TEST(tls_trusts_only_the_given_ca_and_name),
    };
    return cmocka_run_group_tests(tests, start_server, end_server);
}
