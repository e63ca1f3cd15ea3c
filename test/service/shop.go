// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// spread says yes to a share of its calls: evenly (exact), or by chance.
type spread struct {
	mutex  sync.Mutex
	ratio  float64
	sum    float64
	random bool
}

func (s *spread) next() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.random {
		return rand.Float64() < s.ratio
	}
	s.sum += s.ratio
	if s.sum < 1-1e-9 {
		return false
	}
	s.sum--
	return true
}

func (s *spread) set(ratio float64) {
	s.mutex.Lock()
	s.ratio, s.sum = ratio, 0
	s.mutex.Unlock()
}

type shop struct {
	o                   *options
	started             time.Time
	draining            atomic.Bool
	unhealthy           atomic.Bool
	fail, slow, abandon spread
	meter               meter
	mux                 *http.ServeMux
	page                []byte
}

const page = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>shop %[1]s</title>
<style>body{font:16px/1.5 sans-serif;max-width:40em;margin:3em auto}li{margin:.3em 0}</style>
<h1>The shop</h1>
<p>Three things, honestly described.</p>
<ul><li>Kettle, boils water: 29.00</li><li>Lamp, gives light: 45.00</li><li>Chair, holds you: 120.00</li></ul>
<form action="/checkout"><button>Check out</button></form>
<footer>version %[1]s, served by %[2]s</footer></html>
`

func newShop(o *options) *shop {
	s := &shop{o: o, started: time.Now(), mux: http.NewServeMux()}
	s.page = []byte(fmt.Sprintf(page, o.version, o.name))
	s.fail.ratio, s.fail.random = o.failRatio, o.random
	s.slow.ratio, s.abandon.ratio = o.latencyRatio, o.abandonRatio
	s.meter.init(s.started)
	s.mux.HandleFunc("/", s.counted(s.home))
	s.mux.HandleFunc("/checkout", s.counted(s.checkout))
	s.mux.HandleFunc("/api/v1/users", s.counted(private(`[{"id":1,"name":"Ada"},{"id":2,"name":"Grace"}]`)))
	s.mux.HandleFunc("/api/v1/orders", s.counted(private(`[{"id":17,"user":1,"total":29.0}]`)))
	s.mux.HandleFunc("/health", s.health)
	s.mux.HandleFunc("/status", s.status)
	s.mux.HandleFunc("/metrics", s.meter.serve(s, (*meter).writeText))
	s.mux.HandleFunc("/metrics.json", s.meter.serve(s, (*meter).writeJSON))
	s.mux.HandleFunc("/fault", s.fault)
	return s
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Version", s.o.version)
	w.Header().Set("X-Instance", s.o.name)
	if s.draining.Load() {
		w.Header().Set("Connection", "close")
	}
	s.mux.ServeHTTP(w, r)
}

type recorder struct {
	http.ResponseWriter
	code int
}

func (r *recorder) WriteHeader(code int) {
	r.code = code
	r.ResponseWriter.WriteHeader(code)
}

// counted is what users do: it takes time and shows in the metrics.
func (s *shop) counted(handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		if s.o.latency > 0 && s.slow.next() {
			time.Sleep(s.o.latency)
		}
		rec := &recorder{w, http.StatusOK}
		handler(rec, r)
		s.meter.observe(rec.code, r.Method, time.Since(begin))
	}
}

func (s *shop) home(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	if s.fail.next() {
		http.Error(w, "the shop is broken", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(s.page)
}

func (s *shop) checkout(w http.ResponseWriter, r *http.Request) {
	s.meter.started.Add(1)
	if s.abandon.next() {
		s.meter.abandoned.Add(1)
		fmt.Fprintln(w, "left at the till")
		return
	}
	fmt.Fprintln(w, "thank you")
}

func private(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer test" {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		writeJSON(w, http.StatusOK, json.RawMessage(body))
	}
}

func (s *shop) health(w http.ResponseWriter, r *http.Request) {
	ready := time.Since(s.started) >= s.o.readyAfter && !s.unhealthy.Load() && !s.draining.Load()
	if ready {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
		return
	}
	writeJSON(w, http.StatusServiceUnavailable, map[string]string{"status": "not ready"})
}

func (s *shop) status(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, map[string]interface{}{
		"version": s.o.version, "name": s.o.name, "uptime": s.uptime(),
	})
}

func (s *shop) uptime() float64 {
	return float64(time.Since(s.started).Milliseconds()) / 1000
}

// fault changes behaviour at run time: /fault?fail=0.5&metrics=slow&health=bad&slow=0.1
func (s *shop) fault(w http.ResponseWriter, r *http.Request) {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		http.Error(w, "loopback only", http.StatusForbidden)
		return
	}
	query := r.URL.Query()
	for name, target := range map[string]*spread{"fail": &s.fail, "slow": &s.slow, "abandon": &s.abandon} {
		if text := query.Get(name); text != "" {
			ratio, err := strconv.ParseFloat(text, 64)
			if err != nil || ratio < 0 || ratio > 1 {
				http.Error(w, name+": want a ratio 0…1", http.StatusBadRequest)
				return
			}
			target.set(ratio)
		}
	}
	if mode := query.Get("metrics"); mode != "" && !s.meter.setMode(mode) {
		http.Error(w, "metrics: want ok, slow, gone, reset, garbage, endless, nan, lying or backwards",
			http.StatusBadRequest)
		return
	}
	if text := query.Get("health"); text != "" {
		s.unhealthy.Store(text != "ok")
	}
	fmt.Fprintln(w, "done")
}

func writeJSON(w http.ResponseWriter, code int, value interface{}) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(value)
}
