// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"strings"
	"sync"
	"time"
)

// A script says what may be asked and what is answered. Whatever it does not foresee gets
// 501 and an "unexpected" reason in the log, so that a test can demand that none occurred.
//
//	{"routes": [{"method": "GET", "path": "/x", "query": "a=1",
//	  "headers": {"Authorization": "Bearer t"}, "json": {"sent": 1}, "body": "sent text",
//	  "replies": [{"status": 200, "headers": {}, "json": {}, "body": "text", "delay": "1s",
//	    "abort": true, "bytes": 1000000}]}]}
//
// Replies are given in order, the last one repeats; "once": true forbids the repetition.
type route struct {
	Method, Path string
	Query        *string
	Headers      map[string]string
	JSON         json.RawMessage
	Body         *string
	Once         bool
	Replies      []reply
	used         int
}

type reply struct {
	Status  int
	Headers map[string]string
	JSON    json.RawMessage
	Body    string
	Bytes   int64 // that many letters; -1 never ends
	Delay   string
	Abort   bool // close without an answer
}

type fake struct {
	mutex  sync.Mutex
	Routes []*route
	log    io.Writer
}

func runFake(o *options, listener net.Listener) error {
	text, err := os.ReadFile(o.fake)
	if err != nil {
		return err
	}
	f := &fake{log: io.Discard}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(f); err != nil {
		return fmt.Errorf("%s: %w", o.fake, err)
	}
	for _, route := range f.Routes {
		if len(route.Replies) == 0 || route.Path == "" {
			return fmt.Errorf("%s: a route needs a path and replies", o.fake)
		}
	}
	if o.log != "" {
		file, err := os.OpenFile(o.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		f.log = file
	}
	if o.tlsDir != "" {
		config, err := ownAuthority(o.tlsDir, o.tlsName)
		if err != nil {
			return err
		}
		listener = tls.NewListener(listener, config)
	}
	serveUntilTerm(&http.Server{Handler: f}, listener, func() {})
	return nil
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 16<<20))
	answer, reason := f.choose(r, body)
	f.record(r, body, answer, reason)
	if reason != "" {
		http.Error(w, "unexpected: "+reason, http.StatusNotImplemented)
		return
	}
	answer.send(w, r)
}

func (f *fake) choose(r *http.Request, body []byte) (*reply, string) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	reason := "no such path " + r.URL.Path
	for _, route := range f.Routes {
		if route.Path != r.URL.Path {
			continue
		}
		if reason = route.refuses(r, body); reason != "" {
			continue
		}
		if route.used == len(route.Replies) {
			if route.Once {
				reason = "asked too often"
				continue
			}
			route.used--
		}
		route.used++
		return &route.Replies[route.used-1], ""
	}
	return nil, reason
}

func (t *route) refuses(r *http.Request, body []byte) string {
	method := t.Method
	if method == "" {
		method = "GET"
	}
	if r.Method != method {
		return "method " + r.Method + ", want " + method
	}
	if t.Query != nil && r.URL.RawQuery != *t.Query {
		return "query " + r.URL.RawQuery + ", want " + *t.Query
	}
	for name, want := range t.Headers {
		got := r.Header.Get(name)
		if name == "Host" || name == "host" {
			got = r.Host
		}
		if got != want {
			return "header " + name + ": " + got + ", want " + want
		}
	}
	if t.Body != nil && string(body) != *t.Body {
		return "body differs"
	}
	if t.JSON != nil {
		var got, want interface{}
		json.Unmarshal(t.JSON, &want)
		if err := json.Unmarshal(body, &got); err != nil || !reflect.DeepEqual(got, want) {
			return "JSON body differs"
		}
	}
	return ""
}

func (f *fake) record(r *http.Request, body []byte, answer *reply, reason string) {
	line := map[string]interface{}{
		"time": time.Now().UnixNano(), "method": r.Method, "path": r.URL.Path, "query": r.URL.RawQuery,
		"host": r.Host, "headers": r.Header, "body": string(body),
	}
	if reason != "" {
		line["unexpected"] = reason
	} else {
		line["status"] = answer.status()
	}
	f.mutex.Lock()
	json.NewEncoder(f.log).Encode(line)
	f.mutex.Unlock()
}

func (a *reply) status() int {
	if a.Status == 0 {
		return http.StatusOK
	}
	return a.Status
}

func (a *reply) send(w http.ResponseWriter, r *http.Request) {
	if delay, err := time.ParseDuration(a.Delay); err == nil {
		select {
		case <-r.Context().Done():
		case <-time.After(delay):
		}
	}
	if a.Abort {
		panic(http.ErrAbortHandler)
	}
	if a.JSON != nil {
		w.Header().Set("Content-Type", "application/json")
	}
	for name, value := range a.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.status())
	w.Write(a.JSON)
	io.WriteString(w, a.Body)
	chunk := []byte(strings.Repeat("x", 8192))
	for left := a.Bytes; left != 0 && r.Context().Err() == nil; {
		if left > 0 && left < int64(len(chunk)) {
			chunk = chunk[:left]
		}
		n, err := w.Write(chunk)
		if err != nil {
			return
		}
		if left > 0 {
			left -= int64(n)
		}
	}
}
