package gateway

import (
	"testing"
	"time"

	"mcp-gw/gateway/upstream"
)

// A backend that answers may be unwell all the same, and says in what way.
func TestUnwell(t *testing.T) {
	now := time.Now()
	check := func(ago time.Duration, what string, took time.Duration, err string) upstream.Check {
		c := upstream.Check{At: now.Add(-ago), What: "ping", Took: took, Err: err}
		if what == "connect" {
			c.What = upstream.CheckConnect
		}
		return c
	}
	connect := func(ago time.Duration, err string) upstream.Check {
		return check(ago, "connect", time.Millisecond, err)
	}
	ping := func(took time.Duration, err string) upstream.Check { return check(time.Second, "ping", took, err) }
	many := func(n int, c upstream.Check) (out []upstream.Check) {
		for range n {
			out = append(out, c)
		}
		return out
	}
	ok, bad := ping(time.Millisecond, ""), ping(time.Millisecond, "closed")
	for name, tt := range map[string]struct {
		checks []upstream.Check
		ends   []EndpointState
		want   string
	}{
		"nothing":        {nil, nil, ""},
		"well":           {[]upstream.Check{connect(time.Minute, ""), ok, ok}, nil, ""},
		"one failed":     {[]upstream.Check{connect(time.Minute, ""), ok, bad}, nil, ""},
		"two failed":     {[]upstream.Check{connect(time.Minute, ""), ok, bad, ok, bad, ok}, nil, "2 of its last 5 checks failed"},
		"long ago":       {append([]upstream.Check{connect(time.Minute, ""), bad, bad}, many(lately, ok)...), nil, ""},
		"connected anew": {[]upstream.Check{connect(time.Minute, ""), bad, bad, connect(time.Second, "refused"), connect(time.Second, ""), ok}, nil, ""},
		"slow":           {[]upstream.Check{connect(time.Minute, ""), ping(3400*time.Millisecond, "")}, nil, "it is slow: its last check took 3.4 s"},
		"slow start":     {[]upstream.Check{check(time.Minute, "connect", 5*time.Second, "")}, nil, ""},
		"flapping":       {many(maxConnects+1, connect(time.Minute, "")), nil, "it comes and goes: it was connected 4 times in 10 minutes"},
		"flapped":        {many(maxConnects+1, connect(time.Hour, "")), nil, ""},
		"replicas": {nil, []EndpointState{{State: "ready"}, {State: "draining"}, {State: "failed"}, {State: "holding"}},
			"2 of its 4 replicas are not there"},
	} {
		if got := unwell(tt.checks, tt.ends, now); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func TestHealth(t *testing.T) {
	for name, tt := range map[string]struct {
		state upstream.State
		shown string // the finer state
		want  string
	}{
		"ready":       {upstream.State{Phase: upstream.PhaseReady}, "ready", HealthHealthy},
		"not shown":   {upstream.State{Phase: upstream.PhaseReady}, "degraded", HealthDegraded},
		"new":         {upstream.State{Phase: upstream.PhaseProbing}, "probing", HealthConnecting},
		"away":        {upstream.State{Phase: upstream.PhaseHolding}, "holding", HealthConnecting},
		"down":        {upstream.State{Phase: upstream.PhaseFailed, Failure: upstream.FailureRefused}, "failed", HealthDown},
		"unpaid":      {upstream.State{Phase: upstream.PhaseFailed, Failure: upstream.FailureAuth}, "failed", HealthAuthRequired},
		"unpaid soon": {upstream.State{Phase: upstream.PhaseProbing, Failure: upstream.FailureAuth}, "probing", HealthAuthRequired},
		"off":         {upstream.State{Phase: upstream.PhaseDisabled}, "disabled", HealthDisabled},
	} {
		if got, _ := health(BackendState{State: tt.shown}, &tt.state, time.Now()); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}
