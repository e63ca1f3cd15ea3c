// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var bounds = [...]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

const seconds = 10 // /metrics.json looks back this far

type series struct {
	code   int
	method string
}

type second struct {
	at      int64
	total   int
	bad     int
	buckets [len(bounds) + 1]int
}

type meter struct {
	begin              time.Time
	started, abandoned atomic.Int64
	mode               atomic.Value

	mutex   sync.Mutex
	counts  map[series]int64
	buckets [len(bounds) + 1]int64
	sum     float64
	total   int64
	ring    [seconds]second
}

func (m *meter) init(begin time.Time) {
	m.begin = begin
	m.counts = map[series]int64{{200, "GET"}: 0, {500, "GET"}: 0}
	m.mode.Store("ok")
}

func (m *meter) setMode(mode string) bool {
	switch mode {
	case "ok", "slow", "gone", "reset", "garbage", "endless", "nan", "lying", "backwards":
		m.mode.Store(mode)
		return true
	}
	return false
}

func (m *meter) observe(code int, method string, took time.Duration) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	bucket := sort.SearchFloat64s(bounds[:], took.Seconds())
	m.counts[series{code, method}]++
	m.buckets[bucket]++
	m.sum += took.Seconds()
	m.total++
	now := time.Now().Unix()
	slot := &m.ring[now%seconds]
	if slot.at != now {
		*slot = second{at: now}
	}
	slot.total++
	slot.buckets[bucket]++
	if code >= 500 {
		slot.bad++
	}
}

// serve wraps a writer with the faults that a metrics endpoint can have.
func (m *meter) serve(s *shop, write func(*meter, http.ResponseWriter, *http.Request, string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		mode := m.mode.Load().(string)
		switch mode {
		case "gone":
			http.NotFound(w, r)
			return
		case "reset":
			panic(http.ErrAbortHandler)
		case "garbage":
			w.Write([]byte("\x00\x7f\xffELF {{{ http_requests_total{code=\"200\n\"} one\n= = =\n"))
			return
		case "endless":
			endless(w, r)
			return
		case "slow":
			select {
			case <-r.Context().Done():
				return
			case <-time.After(60 * time.Second):
			}
		}
		write(m, w, r, mode)
	}
}

func endless(w http.ResponseWriter, r *http.Request) {
	for i := 0; r.Context().Err() == nil; i++ {
		if _, err := fmt.Fprintf(w, "endless_total{i=\"%d\"} %d\n", i, i); err != nil {
			return
		}
	}
}

func number(value float64, mode string) string {
	if mode == "nan" {
		return "NaN"
	}
	if mode == "backwards" {
		value = 1e6 - value
	}
	return strconv.FormatFloat(value, 'g', -1, 64)
}

func (m *meter) sorted() []series {
	keys := make([]series, 0, len(m.counts))
	for key := range m.counts {
		keys = append(keys, key)
	}
	sort.Slice(keys, func(a, b int) bool {
		return keys[a].code < keys[b].code || keys[a].code == keys[b].code && keys[a].method < keys[b].method
	})
	return keys
}

// writeText is Prometheus text 0.0.4, or OpenMetrics 1.0 when asked for. "lying" says that
// every request went well.
func (m *meter) writeText(w http.ResponseWriter, r *http.Request, mode string) {
	open := strings.Contains(r.Header.Get("Accept"), "application/openmetrics-text")
	suffix := "_total" // TYPE lines name the family: without _total in OpenMetrics
	kind := "text/plain; version=0.0.4; charset=utf-8"
	if open {
		suffix, kind = "", "application/openmetrics-text; version=1.0.0; charset=utf-8"
	}
	w.Header().Set("Content-Type", kind)
	var b strings.Builder
	family := func(name, kind, help string) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
	}
	m.mutex.Lock()
	family("http_requests"+suffix, "counter", "Requests by status and method.")
	good := int64(0)
	for _, key := range m.sorted() {
		count := m.counts[key]
		if mode == "lying" {
			good += count
			continue
		}
		fmt.Fprintf(&b, "http_requests_total{code=\"%d\",method=\"%s\"} %s\n", key.code, key.method, number(float64(count), mode))
	}
	if mode == "lying" {
		fmt.Fprintf(&b, "http_requests_total{code=\"200\",method=\"GET\"} %d\n", good)
	}
	family("http_request_duration_seconds", "histogram", "Time to answer.")
	running := int64(0)
	for i, bound := range bounds {
		running += m.buckets[i]
		le := strconv.FormatFloat(bound, 'g', -1, 64)
		if open && !strings.Contains(le, ".") {
			le += ".0"
		}
		fmt.Fprintf(&b, "http_request_duration_seconds_bucket{le=\"%s\"} %s\n", le, number(float64(running), mode))
	}
	fmt.Fprintf(&b, "http_request_duration_seconds_bucket{le=\"+Inf\"} %s\n", number(float64(m.total), mode))
	fmt.Fprintf(&b, "http_request_duration_seconds_sum %s\n", number(m.sum, mode))
	fmt.Fprintf(&b, "http_request_duration_seconds_count %s\n", number(float64(m.total), mode))
	m.mutex.Unlock()
	family("checkout_started"+suffix, "counter", "Checkouts begun.")
	fmt.Fprintf(&b, "checkout_started_total %s\n", number(float64(m.started.Load()), mode))
	family("checkout_abandoned"+suffix, "counter", "Checkouts left at the till.")
	fmt.Fprintf(&b, "checkout_abandoned_total %s\n", number(float64(m.abandoned.Load()), mode))
	family("process_start_time_seconds", "gauge", "Start of the process, Unix time.")
	fmt.Fprintf(&b, "process_start_time_seconds %.3f\n", float64(m.begin.UnixMilli())/1000)
	if open {
		b.WriteString("# EOF\n")
	}
	io.WriteString(w, b.String())
}

// writeJSON: rates of the last ten seconds, counts since the start.
func (m *meter) writeJSON(w http.ResponseWriter, r *http.Request, mode string) {
	m.mutex.Lock()
	var sum second
	now := time.Now().Unix()
	for i := range m.ring {
		if slot := &m.ring[i]; slot.at > now-seconds {
			sum.total += slot.total
			sum.bad += slot.bad
			for j, count := range slot.buckets {
				sum.buckets[j] += count
			}
		}
	}
	total := m.total
	m.mutex.Unlock()
	span := math.Min(seconds, math.Max(1, time.Since(m.begin).Seconds()))
	answer := map[string]interface{}{
		"error_rate": 0.0, "latency_p99": quantile(&sum, 0.99) * 1000,
		"throughput": float64(sum.total) / span, "uptime": time.Since(m.begin).Seconds(),
		"request_count": total,
	}
	if sum.total > 0 && mode != "lying" {
		answer["error_rate"] = float64(sum.bad) / float64(sum.total)
	}
	if mode == "nan" {
		answer["error_rate"], answer["latency_p99"], answer["throughput"] = nil, nil, nil
	}
	if mode == "backwards" {
		answer["request_count"] = 1000000 - total
	}
	writeJSON(w, http.StatusOK, answer)
}

// quantile as histogram_quantile has it: linear within the bucket, in seconds.
func quantile(s *second, q float64) float64 {
	rank, below := q*float64(s.total), 0.0
	for i, bound := range bounds {
		count := float64(s.buckets[i])
		if below+count >= rank && count > 0 {
			low := 0.0
			if i > 0 {
				low = bounds[i-1]
			}
			return low + (bound-low)*(rank-below)/count
		}
		below += count
	}
	if s.total == 0 {
		return 0
	}
	return bounds[len(bounds)-1]
}
