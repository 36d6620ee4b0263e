package discovery

import (
	"context"
	"io"
	"reflect"
	"testing"
	"time"
)

func TestBackendSame(t *testing.T) {
	base := func() Backend {
		return Backend{
			Name: "n", Source: SourceDocker, URL: "http://h/mcp", Alternatives: []string{"http://h/"}, Transport: TransportAuto,
			Headers: map[string]string{"A": "b"}, CallTimeout: time.Second, Generation: "g",
		}
	}
	tests := map[string]struct {
		change func(*Backend)
		same   bool
	}{
		"Name":         {func(b *Backend) { b.Name = "o" }, false},
		"Source":       {func(b *Backend) { b.Source = SourceManual }, false},
		"URL":          {func(b *Backend) { b.URL = "http://i/mcp" }, false},
		"Alternatives": {func(b *Backend) { b.Alternatives = nil }, false},
		"Open":         {func(b *Backend) { b.Open = func(context.Context) (io.ReadWriteCloser, error) { return nil, nil } }, false},
		"PerClient":    {func(b *Backend) { b.PerClient = true }, false},
		"Transport":    {func(b *Backend) { b.Transport = TransportSSE }, false},
		"Headers":      {func(b *Backend) { b.Headers = map[string]string{"A": "c"} }, false},
		"TLS":          {func(b *Backend) { b.TLS.ServerName = "s" }, false},
		"Groups":       {func(b *Backend) { b.Groups = []string{"g"} }, true},
		"CallTimeout":  {func(b *Backend) { b.CallTimeout = 0 }, false},
		"Tuning":       {func(b *Backend) { b.Tuning.Ping = 1 }, false},
		"Shape":        {func(b *Backend) { b.Shape.ReadOnly = true }, true},
		"Replicas":     {func(b *Backend) { b.Replicas = []Replica{{}} }, true},
		"Replica":      {func(b *Backend) { b.Replica.ID = "r" }, true},
		"Balance":      {func(b *Backend) { b.Balance = BalanceLeastBusy }, true},
		"Doubted":      {func(b *Backend) { b.Doubted = time.Now() }, true},
		"Withheld":     {func(b *Backend) { b.Withheld = "unhealthy" }, true},
		"Disabled":     {func(b *Backend) { b.Disabled = true }, false},
		"Generation":   {func(b *Backend) { b.Generation = "h" }, false},
		"Held":         {func(b *Backend) { b.Held = true }, false},
		"Container":    {func(b *Backend) { b.Container = &Container{ID: "x"} }, true},
		"Diagnostics":  {func(b *Backend) { b.Diagnostics = []Diagnostic{{}} }, true},
	}
	if !base().Same(base()) {
		t.Error("equal backends are not the same")
	}
	// A field that somebody adds has to be thought of here.
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Backend]()) {
		tt, ok := tests[f.Name]
		if !ok {
			t.Errorf("field %s has no case in this test", f.Name)
			continue
		}
		o := base()
		tt.change(&o)
		if got := base().Same(o); got != tt.same {
			t.Errorf("another %s: same %v, want %v", f.Name, got, tt.same)
		}
	}
}
