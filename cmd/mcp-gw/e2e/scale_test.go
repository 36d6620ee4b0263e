package e2e

import (
	"context"
	"os"
	"testing"
	"time"
)

// One replica of three is killed every second, and a new one takes its place, while
// clients of both eras call as fast as they can. SCALE=1m for a full minute.
func TestScaleKillOneEverySecond(t *testing.T) {
	needCompose(t)
	length := 10 * time.Second
	if text := os.Getenv("SCALE"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	s := startScaled(t, "mcp-gw-e2e-scale", 3)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	wait := s.load(ctx, t, 12)
	kills, running := 0, 0
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	least, begun := int(length/time.Second)/3, time.Now()
	for time.Since(begun) < length || kills < least && time.Since(begun) < length+3*patience { // the engine may be slow
		<-tick.C
		all := s.replicas(t)
		if len(all) == 0 {
			continue // they are being made
		}
		victim := all[0]
		running += len(all)
		s.ending([]string{victim}, func() { docker(t, "kill", victim) })
		kills++
		s.collect(t, victim)
		docker(t, "rm", "-f", victim) // one that starts over and over would be quarantined
		s.compose(t, 3)
	}
	stop()
	sum := wait()
	for _, name := range s.replicas(t) {
		s.collect(t, name)
	}
	took := time.Since(begun).Round(time.Second)
	t.Logf("%d kills in %v, of %.1f replicas each time", kills, took, float64(running)/float64(max(1, kills)))
	if kills < least {
		t.Errorf("%d kills in %v", kills, took)
	}
	s.check(t, sum, 1000)
	s.checkOnce(t, sum)
}

// F22: a service is scaled from one to five and back, under load.
func TestF22ScaleUnderLoad(t *testing.T) {
	needCompose(t)
	s := startScaled(t, "mcp-gw-e2e-f22", 1)
	before := s.awaitStatus(t, "demo", "connected")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	wait := s.load(ctx, t, 8)
	s.compose(t, 5)
	s.awaitReplicas(t, 5)
	time.Sleep(time.Second)
	s.ending(s.replicas(t), func() { s.compose(t, 1) })
	s.awaitReplicas(t, 1)
	time.Sleep(time.Second)
	stop()
	sum := wait()
	if after := s.awaitStatus(t, "demo", "connected"); string(get(after, "tools")) != string(get(before, "tools")) {
		t.Error("the tools are other ones")
	}
	s.check(t, sum, 100)
}
