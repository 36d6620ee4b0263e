package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// keeps reports whether text is anywhere in what the journal keeps.
func (j *Journal) keeps(text string) bool {
	j.calls.mu.Lock()
	defer j.calls.mu.Unlock()
	if bytes.Contains(bytes.Join(slices.Concat(j.calls.stores[0].chunks, j.calls.stores[1].chunks), nil), []byte(text)) {
		return true
	}
	for i := range j.calls.rings {
		for n := range j.calls.rings[i].len() {
			if x := j.calls.rings[i].at(n); strings.Contains(x.name+x.original+x.err, text) {
				return true
			}
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.ring {
		if strings.Contains(string(r.arguments)+r.text, text) {
			return true
		}
	}
	return false
}

func TestSecretsAreNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const secret = "ghp_0123456789abcdefghij"
		j := New(Options{})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); j.Run(ctx) }()
		synctest.Wait()

		m := j.Meter("b", "t")
		m.Describe(json.RawMessage(tool))
		arguments := `{"pin":987654321,"q":"plain words","token":"` + secret + `"}`
		call := func() Recording {
			return j.Begin(&Request{Method: "resources/read", Name: "x://u:" + secret + "@h/", Meter: m,
				Message: []byte(`{"params":{"arguments":` + arguments + `}}`)})
		}
		r := call()
		whole := fmt.Sprintf(`{"result":{"content":[{"type":"text","text":"it is %s"},{"type":"image","mimeType":"image/png","data":"%s"}]}}`,
			secret, strings.Repeat("QUJD", 100))
		r.End(&Fate{Kind: ErrTool, Err: "no such key: " + secret}, []byte(whole), len(whole))
		running := call()
		m.Start([]byte(arguments)).End(Outcome{Err: "wrong key " + secret})
		j.System(LevelInfo, "the key is "+secret)
		if !j.keeps(secret) || !j.keeps("987654321") {
			t.Fatal("nothing was there to be masked")
		}
		before := []any{j.allCalls(), detail(j, 1), detail(j, 2), j.Entries(0)}

		time.Sleep(2 * maskPause)
		synctest.Wait()
		if j.keeps(secret) || j.keeps("987654321") || j.keeps("QUJDQUJD") {
			t.Error("a secret is kept")
		}
		if !j.keeps("plain words") {
			t.Error("what is no secret was not kept")
		}
		if after := []any{j.allCalls(), detail(j, 1), detail(j, 2), j.Entries(0)}; !reflect.DeepEqual(before, after) {
			t.Errorf("before %s\nafter  %s", jsonOf(t, before), jsonOf(t, after))
		}
		running.End(&Fate{}, []byte(`{"result":{"token":"`+secret+`"}}`), 40)
		running2 := j.Begin(&Request{Method: "tools/call", Name: "t", Message: []byte(`not JSON, with ` + secret)})
		running2.End(&Fate{}, nil, -1)
		time.Sleep(2 * maskPause)
		synctest.Wait()
		if j.keeps(secret) {
			t.Error("a secret of a later answer, or of what is no JSON, is kept")
		}
		if d, _ := j.CallByID(3); d.Truncated == nil || d.Truncated.Arguments == 0 {
			t.Errorf("what is no JSON: %s", jsonOf(t, d))
		}
		cancel()
		<-ended
	})
}

// allCalls answers all calls.
func (j *Journal) allCalls() []Call {
	all, _, _ := j.CallsBefore(1<<60, 100, true)
	return all
}

// detail is a call without what goes on while it runs.
func detail(j *Journal, id uint64) CallDetail {
	d, _ := j.CallByID(id)
	d.Timing = CallTiming{}
	return d
}

// Full is what a person asked for, and there is nothing to do where nothing is kept.
func TestNothingIsMaskedThatIsWanted(t *testing.T) {
	for _, mode := range []Mode{Full, Off} {
		done := make(chan struct{})
		go func() { defer close(done); New(Options{Traffic: mode}).Run(t.Context()) }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Errorf("%s: it goes on", mode)
		}
	}
}

// A flood is not worked off: what is left of it is masked when somebody reads.
func TestAFloodIsNotMaskedAtOnce(t *testing.T) {
	j := New(Options{})
	w := j.Watch()
	defer w.Close()
	for range 3 * maxNotices {
		answer(ask(j, "tools/call", "t", `{"params":{"arguments":{"password":"hunter2"}}}`), `{"result":{}}`)
	}
	n := 0
	for w.maskNext() {
		n++
	}
	if n != maxNotices {
		t.Errorf("%d were worked off, want the %d that are remembered", n, maxNotices)
	}
	for _, c := range j.allCalls() {
		if d, _ := j.CallByID(c.ID); strings.Contains(jsonOf(t, d), "hunter2") {
			t.Fatalf("shown: %s", jsonOf(t, d))
		}
	}
}
