package upstream

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// Each check is kept with how long it took, or why it failed, over all connections.
func TestChecksAreKept(t *testing.T) {
	b := newBackend(t)
	cfg := quick()
	cfg.PingInterval = 20 * time.Millisecond
	u := start(t, at(b.URL), cfg)
	await(t, "some checks", func() bool { return len(u.State().Checks()) > 2 })
	s := u.State()
	if first := s.Checks()[0]; first.What != CheckConnect || first.Err != "" || first.Took <= 0 {
		t.Errorf("the first: %+v", first)
	}
	if second := s.Checks()[1]; second.What != "ping" || second.Err != "" || second.At.Before(s.Checks()[0].At) {
		t.Errorf("the second: %+v", second)
	}
	b.handle("ping", func(w http.ResponseWriter, _ *question) { w.WriteHeader(http.StatusInternalServerError) })
	s = awaitState(t, u, "a failed check", func(s *State) bool { return s.Checks()[len(s.Checks())-1].Err != "" })
	if last := s.Checks()[len(s.Checks())-1]; s.Phase != PhaseReady || last.What != "ping" {
		t.Errorf("%s, last %+v", s.Phase, last)
	}
	b.handle("ping", nil)
	await(t, "many checks", func() bool { all := u.State().Checks(); return len(all) == maxChecks && all[maxChecks-1].Err == "" })
}

// A server that is starting is asked many times; that is one line of its history.
func TestABurstOfConnectsIsOneCheck(t *testing.T) {
	u := &Upstream{}
	all := func() []Check { return *u.checks.Load() }
	began := time.Now()
	for i := range 50 {
		u.checked(began.Add(time.Duration(i)*200*time.Millisecond), CheckConnect, fmt.Errorf("refused %d", i))
	}
	if len(all()) != 2 || all()[0].Err != "refused 24" || !all()[0].At.Equal(began) {
		t.Errorf("%d checks: %+v", len(all()), all())
	}
	u.checked(began.Add(10*time.Second), CheckConnect, nil)
	u.checked(began.Add(11*time.Second), CheckConnect, errors.New("refused"))
	u.checked(began.Add(12*time.Second), "ping", errors.New("refused"))
	if len(all()) != 5 {
		t.Errorf("%d checks: %+v", len(all()), all())
	}
	kept := all()
	for range 2 * maxChecks {
		u.checked(time.Now(), "ping", nil)
	}
	if len(all()) != maxChecks || kept[0].Err != "refused 24" || len(kept) != 5 {
		t.Errorf("%d checks are kept; what was handed out is %+v", len(all()), kept)
	}
}
