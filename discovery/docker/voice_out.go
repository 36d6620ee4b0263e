package docker

import (
	"context"
	"log/slog"

	"mcp-gw/discovery"
)

// outOf are the judgements that keep a container's tools from clients without a remark
// of their own, with how loud they are told.
var outOf = map[string]slog.Level{
	verdictOneOff: slog.LevelInfo, verdictDisabled: slog.LevelInfo, verdictNotRunning: slog.LevelInfo, verdictRestarting: slog.LevelInfo,
	verdictNotAllowed: slog.LevelInfo, verdictNotEnabled: slog.LevelInfo, verdictOtherInstance: slog.LevelInfo,
	verdictUnhealthy: slog.LevelWarn,
}

// out tells why containers are not shown, when that begins. Whoever was shown before
// and leaves is told of by setChanged.
func (v *voice) out(before []discovery.Backend, observed []discovery.Observed) {
	shown := map[string]bool{}
	for _, b := range before {
		shown[b.Container.ID] = true
		for _, r := range b.Replicas {
			shown[r.Container.ID] = true
		}
	}
	now := make(map[string]string, len(observed))
	for _, o := range observed {
		now[o.ID] = o.Verdict
		level, tell := outOf[o.Verdict]
		if _, flaps := v.flapped[o.ID]; !tell || flaps || v.verdicts[o.ID] == o.Verdict || shown[o.ID] && o.Verdict != verdictUnhealthy {
			continue
		}
		attrs := []slog.Attr{slog.String("container", o.Name), slog.String("verdict", o.Verdict), slog.String("reason", o.Reason)}
		if o.Fix != "" {
			attrs = append(attrs, slog.String("fix", o.Fix))
		}
		v.log.LogAttrs(context.Background(), level, "container is not shown", attrs...)
	}
	v.verdicts = now
}
