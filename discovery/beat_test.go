package discovery

import (
	"testing"
	"time"
)

func TestUntilBeat(t *testing.T) {
	at := time.Date(2026, 1, 1, 12, 0, 3, 250, time.UTC)
	for _, tt := range []struct{ d, want time.Duration }{
		{5 * time.Second, 2*time.Second - 250},
		{time.Second, time.Second - 250},
		{3 * time.Second, 3*time.Second - 250},
		{1, 1},
	} {
		if got := UntilBeat(at, tt.d); got != tt.want {
			t.Errorf("every %v: in %v, want %v", tt.d, got, tt.want)
		}
	}
	if got := UntilBeat(time.Now(), time.Hour); got <= 0 || got > time.Hour {
		t.Errorf("every hour: in %v", got)
	}
}
