// SPDX-License-Identifier: Apache-2.0

// Command service is the small shop that the test rig deploys. With -fake it is a strict
// scripted HTTP server instead, with -tap a logging relay in front of a unix socket, with -proxy
// one in front of any address that spoils what it relays.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type options struct {
	listen, name, version string
	failRatio             float64
	random                bool
	latency               time.Duration
	latencyRatio          float64
	abandonRatio          float64
	readyAfter            time.Duration
	crashAfter            time.Duration
	restarts              string
	linger                time.Duration
	pidfile               string

	fake, log, tlsDir, tlsName string
	tap, proxy, to             string
}

func parse() *options {
	o := &options{}
	flag.StringVar(&o.listen, "listen", "127.0.0.1:8080", "`address` to serve on; port 0 picks one and prints it")
	flag.StringVar(&o.name, "name", "shop", "name of this instance")
	flag.StringVar(&o.version, "version", "v1", "version that /status reports")
	flag.Float64Var(&o.failRatio, "fail-ratio", 0, "share of requests to / that fail with 500, evenly spread")
	flag.BoolVar(&o.random, "random", false, "spread failures by chance instead of evenly")
	flag.DurationVar(&o.latency, "latency", 2*time.Millisecond, "time a slow request takes")
	flag.Float64Var(&o.latencyRatio, "latency-ratio", 1, "share of requests that are slow")
	flag.Float64Var(&o.abandonRatio, "abandon-ratio", 0.2, "share of checkouts that are abandoned")
	flag.DurationVar(&o.readyAfter, "ready-after", 0, "/health says 503 until then")
	flag.DurationVar(&o.crashAfter, "crash-after", 0, "exit 1 after this time without finishing anything; 0 never")
	flag.StringVar(&o.restarts, "restarts", "", "after a crash add one to the number in this `file` and start again")
	flag.DurationVar(&o.linger, "linger", 100*time.Millisecond, "after SIGTERM, time for idle connections to be said goodbye to")
	flag.StringVar(&o.pidfile, "pidfile", "", "write the process id here")
	flag.StringVar(&o.fake, "fake", "", "serve this script (JSON `file`) strictly instead of the shop")
	flag.StringVar(&o.log, "log", "", "-fake, -tap, -proxy: append one JSON line per exchange to this `file`")
	flag.StringVar(&o.tlsDir, "tls-dir", "", "-fake, -proxy: serve TLS; the authority's certificate goes to `dir`/ca.pem")
	flag.StringVar(&o.tlsName, "tls-name", "localhost", "-fake: name in the certificate besides 127.0.0.1; \"expired\" makes it expired")
	flag.StringVar(&o.tap, "tap", "", "listen on this unix socket and relay every connection to -to")
	flag.StringVar(&o.proxy, "proxy", "", "relay to -to, with the faults that this `file` names; it is read for every request")
	flag.StringVar(&o.to, "to", "", "-tap, -proxy: where the real one listens: a unix socket, or host:port")
	flag.Parse()
	return o
}

func main() {
	runtime.GOMAXPROCS(2)
	debug.SetGCPercent(50)
	o := parse()
	if o.pidfile != "" {
		check(os.WriteFile(o.pidfile, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o644))
	}
	if o.tap != "" {
		check(runTap(o))
		return
	}
	listener, err := net.Listen("tcp", o.listen)
	check(err)
	if strings.HasSuffix(o.listen, ":0") {
		fmt.Println(listener.Addr())
	}
	if o.fake != "" {
		check(runFake(o, listener))
		return
	}
	if o.proxy != "" {
		check(runProxy(o, listener))
		return
	}
	shop := newShop(o)
	if o.crashAfter > 0 {
		time.AfterFunc(o.crashAfter, func() { crash(o) })
	}
	server := &http.Server{Handler: shop, IdleTimeout: 2 * time.Minute}
	serveUntilTerm(server, listener, func() {
		shop.draining.Store(true)
		time.Sleep(o.linger)
	})
}

// serveUntilTerm: on SIGTERM or SIGINT no new connection is accepted, goodbye runs (every
// answer now says "Connection: close"), requests in flight are finished, then it returns.
func serveUntilTerm(server *http.Server, listener net.Listener, goodbye func()) {
	done := make(chan struct{})
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-signals
		listener.Close()
		goodbye()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		server.Shutdown(ctx)
		close(done)
	}()
	err := server.Serve(listener)
	select {
	case <-done:
	default:
		if !strings.Contains(err.Error(), "closed") {
			check(err)
		}
		<-done
	}
}

// crash drops every connection at once. With -restarts the same process id starts again,
// as a supervisor would do it.
func crash(o *options) {
	if o.restarts == "" {
		os.Exit(1)
	}
	text, _ := os.ReadFile(o.restarts)
	count, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	os.WriteFile(o.restarts, []byte(strconv.Itoa(count+1)+"\n"), 0o644)
	self, err := os.Executable()
	check(err)
	check(syscall.Exec(self, os.Args, os.Environ()))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "service:", err)
		os.Exit(1)
	}
}
