package journal

import (
	"sync/atomic"
	"time"
)

// Stats sums up calls. The percentiles are of all calls since the start,
// interpolated within the steps of the histogram; zero when there was no call.
type Stats struct {
	Calls  uint64  `json:"calls"`
	Errors uint64  `json:"errors"`
	P50Ms  float64 `json:"p50Ms"`
	P95Ms  float64 `json:"p95Ms"`
	// LastAt is when the last call ended, ISO 8601; empty when there was none.
	LastAt string `json:"lastAt,omitempty"`
}

// Counts are the numbers of calls by outcome.
type Counts struct {
	OK     uint64
	Errors uint64 // the backend answered with an error
	Failed uint64 // there was no answer
}

// Histogram is the durations of calls.
type Histogram struct {
	Count   uint64
	Seconds float64 // the sum
	// Buckets has the number of calls that took at most the key's seconds.
	Buckets map[float64]uint64
}

// bounds are the upper bounds of the histogram's steps, six a decade from
// 100 µs to 700 s: fine enough for a percentile within a few per cent, and
// coarse enough that thousands of tools can have one each.
var bounds = func() (b []time.Duration) {
	for decade := 100 * time.Microsecond; decade <= 100*time.Second; decade *= 10 {
		for _, step := range []time.Duration{10, 15, 20, 30, 50, 70} {
			b = append(b, decade*step/10)
		}
	}
	return b
}()

// steps is the number of bounds, and one step more for what is above them all.
const steps = 7*6 + 1

// series counts one stream of calls. The zero series is ready; the histogram is
// made at the first call, because most tools of a large catalogue never see one.
type series struct {
	ok, errors, failed atomic.Uint64
	last               atomic.Int64 // when one ended, in ns since 1970
	durations          atomic.Pointer[histogram]
}

type histogram struct {
	nanos atomic.Int64
	count [steps]atomic.Uint64
}

func (s *series) observe(at time.Time, d time.Duration, o Outcome) {
	s.last.Store(at.UnixNano())
	h := s.durations.Load()
	if h == nil {
		s.durations.CompareAndSwap(nil, new(histogram))
		h = s.durations.Load()
	}
	h.count[step(d)].Add(1)
	h.nanos.Add(int64(d))
	switch {
	case o.IsError:
		s.errors.Add(1)
	case o.Err != "":
		s.failed.Add(1)
	default:
		s.ok.Add(1)
	}
}

// step is the index of the first bound that is not below d, by bisection.
func step(d time.Duration) int {
	lo, hi := 0, len(bounds)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if d <= bounds[mid] {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// read copies the numbers of a histogram. Calls that end meanwhile may be in
// some of them and not in others; each number by itself only ever grows.
func (s *series) read() (count [steps]uint64, total uint64, nanos int64) {
	h := s.durations.Load()
	if h == nil {
		return count, 0, 0
	}
	nanos = h.nanos.Load()
	for i := range count {
		count[i] = h.count[i].Load()
		total += count[i]
	}
	return count, total, nanos
}

func (s *series) stats() Stats {
	c := s.counts()
	count, total, _ := s.read()
	stats := Stats{
		Calls:  c.OK + c.Errors + c.Failed,
		Errors: c.Errors + c.Failed,
		P50Ms:  percentile(&count, total, 0.50),
		P95Ms:  percentile(&count, total, 0.95),
	}
	if last := s.last.Load(); last != 0 {
		stats.LastAt = stamp(time.Unix(0, last))
	}
	return stats
}

func (s *series) counts() Counts {
	return Counts{OK: s.ok.Load(), Errors: s.errors.Load(), Failed: s.failed.Load()}
}

// percentile finds the duration, in milliseconds, that a share q of the calls
// did not exceed. Within a step the calls are taken to be spread evenly; what is
// above all bounds is taken to be at the last one.
func percentile(count *[steps]uint64, total uint64, q float64) float64 {
	if total == 0 {
		return 0
	}
	rank := q * float64(total)
	var below float64
	for i, n := range count {
		if n == 0 || below+float64(n) < rank {
			below += float64(n)
			continue
		}
		if i == len(bounds) {
			break
		}
		var lower time.Duration
		if i > 0 {
			lower = bounds[i-1]
		}
		share := (rank - below) / float64(n)
		d := lower + time.Duration(share*float64(bounds[i]-lower))
		return float64(d.Microseconds()) / 1000
	}
	return float64(bounds[len(bounds)-1].Milliseconds())
}

// histogram exports every bound of 1, 2 and 5 a decade from 1 ms on: what a
// scrape needs, at a third of its size.
func (s *series) histogram() Histogram {
	count, total, nanos := s.read()
	h := Histogram{Count: total, Seconds: time.Duration(nanos).Seconds(), Buckets: map[float64]uint64{}}
	var sum uint64
	for i, bound := range bounds {
		sum += count[i]
		if place := i % 6; bound >= time.Millisecond && (place == 0 || place == 2 || place == 4) {
			h.Buckets[bound.Seconds()] = sum
		}
	}
	return h
}
