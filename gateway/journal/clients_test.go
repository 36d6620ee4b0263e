package journal

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := New(Options{})
		w := j.Watch()
		defer w.Close()
		session := j.Met(Facts{Session: "S", Info: []byte(`{"name":"Claude Code","version":"2.1"}`), Capabilities: []byte(`{"roots":{},"elicitation":{}}`),
			UserAgent: "claude/2.1", Version: "2025-11-25", Address: "[::1]:5000"}, nil)
		key := []byte("key")
		if j.Known(key) != nil {
			t.Error("known before it came")
		}
		modern := j.Met(Facts{UserAgent: "python-httpx/0.27 x", Version: "2026-07-28", Address: "10.0.0.9:1"}, key)
		if j.Known(key) != modern || j.Met(Facts{}, key) != modern {
			t.Error("not found again")
		}
		if changed, _ := w.Clients(); len(changed) != 2 {
			t.Errorf("told of %d", len(changed))
		}
		time.Sleep(time.Second)
		j.Begin(&Request{Client: session}).End(&Fate{Kind: ErrTool}, nil, 0)
		j.Begin(&Request{Client: session, Protocol: true}).End(&Fate{}, nil, 0)
		j.Listed(session, 7)
		closed := j.Streams(session)
		all, _ := j.Clients()
		const want = `[
 {
  "id": "S",
  "name": "Claude Code",
  "version": "2.1",
  "userAgent": "claude/2.1",
  "era": "legacy",
  "protocolVersion": "2025-11-25",
  "capabilities": [
   "elicitation",
   "roots"
  ],
  "address": "::1",
  "firstSeen": "2000-01-01T00:00:00.000Z",
  "lastSeen": "2000-01-01T00:00:01.000Z",
  "streams": 1,
  "calls": 1,
  "errors": 1,
  "toolsSeen": 7,
  "connected": true
 },
 {
  "id": "2c70e12b7a0646f9",
  "name": "python-httpx",
  "version": "0.27",
  "userAgent": "python-httpx/0.27 x",
  "era": "modern",
  "protocolVersion": "2026-07-28",
  "capabilities": [],
  "address": "10.0.0.9",
  "firstSeen": "2000-01-01T00:00:00.000Z",
  "lastSeen": "2000-01-01T00:00:00.000Z",
  "streams": 0,
  "calls": 0,
  "errors": 0,
  "connected": true
 }
]`
		if got := jsonOf(t, all); got != want {
			t.Errorf("got %s", got)
		}
		<-w.Ready()
		if changed, _ := w.Clients(); len(changed) != 1 || changed[0].Streams != 1 {
			t.Errorf("told of %+v", changed)
		}
		j.Listed(session, 7) // nothing new
		if changed, _ := w.Clients(); len(changed) != 0 {
			t.Errorf("told of %+v", changed)
		}
		closed()
		if got := j.ClientsSince(time.Now(), 5); len(got) != 1 || got[0].ID != "S" {
			t.Errorf("active are %+v", got)
		}
		if got := j.ClientsSince(time.Time{}, 1); len(got) != 1 || got[0].ID != "S" {
			t.Errorf("active are %+v", got)
		}
		time.Sleep(time.Second)
		j.Met(Facts{Session: "late"}, nil)
		if got := j.ClientsSince(time.Time{}, 1); len(got) != 1 || got[0].ID != "late" {
			t.Errorf("the last one is %+v", got)
		}
		j.Left(session)
		time.Sleep(presence)
		for _, id := range []string{"S", modern.id} {
			if got, there := j.Client(id); !there || got.Connected {
				t.Errorf("%s: %+v", id, got)
			}
		}
		if j.Met(Facts{Session: "S"}, nil) != session || !session.state().Connected {
			t.Error("a session that is taken up again is another client")
		}
		j.Left(session)
		if _, there := j.Client("nobody"); there {
			t.Error("nobody is there")
		}
		if got := j.Met(Facts{Info: []byte(`{"name":"mcp-gw dashboard"}`)}, []byte("d")).state(); !got.Self {
			t.Errorf("the dashboard is %+v", got)
		}
		if got := j.Met(Facts{Info: []byte(`[`), Capabilities: []byte(`7`)}, []byte("x")).state(); got.Name != "unknown" || got.Capabilities == nil {
			t.Errorf("a client that says nothing is %+v", got)
		}
	})
}

func TestClientsAreBounded(t *testing.T) {
	j := New(Options{})
	first := j.Met(Facts{Session: "first"}, nil)
	for i := range 3 * maxClients {
		if i%100 == 0 {
			first.seen(time.Now())
		}
		j.Met(Facts{}, fmt.Append(nil, i))
	}
	all, _ := j.Clients()
	if len(all) > maxClients || len(j.clients.byKey) > maxClients {
		t.Errorf("%d clients, %d keys", len(all), len(j.clients.byKey))
	}
	if _, there := j.Client("first"); !there {
		t.Error("the one that is used most is forgotten")
	}
}

func TestRefusals(t *testing.T) {
	j := New(Options{})
	w := j.Watch()
	defer w.Close()
	say := func(code, reason string) {
		j.Refused(Refusal{Address: "10.0.0.9:555", UserAgent: strings.Repeat("u", 1000), Status: 403, Reason: reason, Code: code})
	}
	for i := range maxRefused + 5 {
		say("host", fmt.Sprint(i))
	}
	say("host", "10")
	say("origin", "bearer abcdefghijklmnopqrstuvwxyz is not it")
	_, refused := j.Clients()
	if len(refused) != maxRefused || refused[0].Code != "origin" || refused[1].Reason != "10" || refused[2].Reason != fmt.Sprint(maxRefused+4) || refused[0].Address != "10.0.0.9" {
		t.Errorf("%d: %s", len(refused), jsonOf(t, refused[:3]))
	}
	if len(refused[0].UserAgent) > maxFact+3 || strings.Contains(refused[0].Reason, "abcdefgh") {
		t.Errorf("%+v", refused[0])
	}
	if _, told := w.Clients(); len(told) != maxRefused {
		t.Errorf("told of %d", len(told))
	}
	say("host", "10") // the same again
	if _, told := w.Clients(); len(told) != 1 || told[0].Reason != "10" {
		t.Errorf("told of %+v", told)
	}
	if _, refused := j.Clients(); len(refused) != maxRefused {
		t.Errorf("%d are kept", len(refused))
	}
}
