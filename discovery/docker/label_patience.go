package docker

import (
	"strconv"
	"time"
)

var patienceLabels = []label{
	{key: "timeout.connect", kind: "duration", fallback: "the gateway's", example: "3s",
		doc: "How long it may take to accept a connection, 100ms to 1h.", wrong: "has no unit", set: setConnectTimeout},
	{key: "timeout.init", kind: "duration", fallback: "the gateway's", example: "30s",
		doc: "How long each step of the handshake and each listing may take, 100ms to 1h.", wrong: "has no unit", set: setInitTimeout},
	{key: "timeout.call", kind: "duration", fallback: "the gateway's", example: "5m",
		doc: "How long a call may stay silent, 100ms to 1h. Progress counts as a sign of life.", wrong: "has no unit", set: setCallTimeout},
	{key: "timeout.idle", kind: "duration, or `0`", fallback: "the gateway's", example: "30m",
		doc: "Sessions with it that nobody used for that long end, 1s to 24h.", wrong: "has no unit", set: setIdleTimeout},
	{key: "startup-timeout", kind: "duration", fallback: "the gateway's", example: "2m",
		doc: "How long it may not answer before it counts as failed rather than as starting, 1s to 1h.", wrong: "has no unit", set: setStartup},
	{key: "max-concurrency", kind: "1–1024", fallback: "the gateway's", example: "16",
		doc: "Calls that are under way at one process at a time; further ones wait.", wrong: "is not a number from 1 to 1024", set: setConcurrency},
	{key: "health", kind: "`auto`, `docker`, `mcp` or `none`", fallback: "`auto`", example: "docker",
		doc: "What decides whether its tools are shown. `auto`: the MCP server answers, and the container's health check does not fail; `docker`: the health check has passed; `mcp`: the server answers, whatever the health check says; `none`: like `mcp`, and it is not pinged.", wrong: "is none of auto, docker, mcp, none", set: setHealth},
	{key: "health.interval", kind: "duration", fallback: "the gateway's", example: "30s",
		doc: "Time between two pings of an idle server, 1s to 1h.", wrong: "has no unit", set: setHealthInterval},
	{key: "removal-grace", kind: "duration", fallback: "`0s`", example: "10s",
		doc: "How long its tools stay listed when its container ended, at most 60s. With a successor in sight they stay for 10s anyway.", wrong: "has no unit", set: setRemovalGrace},
}

const (
	healthAuto   = "auto"
	healthDocker = "docker"
	healthMCP    = "mcp"
	healthNone   = "none"
)

const (
	minTimeout = 100 * time.Millisecond
	maxTimeout = time.Hour
)

// span reads a duration.
func span(value string, low, high time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || value == "0" && low > 0 {
		if _, numErr := strconv.Atoi(value); numErr == nil {
			return 0, refuse(value+"s", "has no unit")
		}
		return 0, refuse("", "is not a duration such as 30s or 5m")
	}
	if d < low || d > high {
		return 0, refuse("", "is not between %s and %s", brief(low), brief(high))
	}
	return d, nil
}

// brief writes a duration as people do: 1h, not 1h0m0s.
func brief(d time.Duration) string {
	switch {
	case d >= time.Hour && d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d > time.Minute && d%time.Minute == 0:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	}
	return d.String()
}

func setConnectTimeout(s *settings, _, value string) (_ string, err error) {
	s.tuning.Connect, err = span(value, minTimeout, maxTimeout)
	return "", err
}

func setInitTimeout(s *settings, _, value string) (_ string, err error) {
	s.tuning.Init, err = span(value, minTimeout, maxTimeout)
	return "", err
}

func setCallTimeout(s *settings, _, value string) (_ string, err error) {
	s.callTimeout, err = span(value, minTimeout, maxTimeout)
	return "", err
}

func setIdleTimeout(s *settings, _, value string) (_ string, err error) {
	if value == "0" || value == "0s" {
		s.tuning.Idle = 0
		return "", nil
	}
	s.tuning.Idle, err = span(value, time.Second, 24*time.Hour)
	return "", err
}

func setStartup(s *settings, _, value string) (_ string, err error) {
	s.tuning.Startup, err = span(value, time.Second, time.Hour)
	return "", err
}

func setConcurrency(s *settings, _, value string) (_ string, err error) {
	s.tuning.MaxConcurrency, err = between(value, 1, 1024, 0)
	return "", err
}

func setHealth(s *settings, _, value string) (string, error) {
	v, err := oneOf(value, healthAuto, healthDocker, healthMCP, healthNone)
	if err == nil {
		s.health, s.tuning.NoPing = v, v == healthNone
	}
	return "", err
}

func setHealthInterval(s *settings, _, value string) (_ string, err error) {
	s.tuning.Ping, err = span(value, time.Second, time.Hour)
	return "", err
}

func setRemovalGrace(s *settings, _, value string) (_ string, err error) {
	s.removalGrace, err = span(value, 0, time.Minute)
	return "", err
}
