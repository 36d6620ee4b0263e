package main

import (
	"fmt"

	"mcp-gw/cmd/mcp-gw-bench/internal/load"
)

// The two protocol eras, by their latest version.
const (
	sessions  = "2025-11-25"
	stateless = "2026-07-28"
)

// scenario is one kind of load.
type scenario struct {
	mode    string // load.ModeCall or load.ModeList
	clients int
	payload int     // bytes to echo
	client  string  // protocol version that clients speak
	backend string  // the latest that the called backend speaks
	limit   float64 // of the gateway's CPU, in times the floor's
}

func (s scenario) name(tools int) string {
	if s.mode == load.ModeList {
		return fmt.Sprintf("list of %d tools, %d clients, %s", tools, s.clients, s.client)
	}
	size := fmt.Sprintf("%d B", s.payload)
	if s.payload >= 1<<10 {
		size = fmt.Sprintf("%d KiB", s.payload>>10)
	}
	era := s.client
	if s.backend != s.client {
		era += " to " + s.backend
	}
	return fmt.Sprintf("call %s, %d clients, %s", size, s.clients, era)
}

// group is a fleet, and the scenarios that are run on it.
type group struct {
	backends, toolsEach int
	idle                bool // measure the idle gateway's memory
	scenarios           []scenario
}

func (g group) tools() int { return g.backends * g.toolsEach }

// groups are all that is measured. Limits are what the project promises.
// Where client and backend are of different eras the gateway translates, which
// the floor does not; that is measured only when asked for, against the same
// limit.
func groups(mixed bool) []group {
	small := group{backends: 10, toolsEach: 50, idle: true}
	for _, era := range []string{sessions, stateless} {
		small.scenarios = append(small.scenarios,
			scenario{load.ModeCall, 16, 100, era, era, 1.5},
			scenario{load.ModeCall, 64, 100, era, era, 1.5},
			scenario{load.ModeCall, 16, 64 << 10, era, era, 1.2},
			scenario{load.ModeList, 16, 0, era, era, 1.5},
		)
	}
	if mixed {
		small.scenarios = append(small.scenarios,
			scenario{load.ModeCall, 16, 100, sessions, stateless, 1.5},
			scenario{load.ModeCall, 16, 100, stateless, sessions, 1.5},
		)
	}
	large := group{backends: 100, toolsEach: 50, scenarios: []scenario{
		{load.ModeList, 4, 0, sessions, sessions, 1.5}, // 5 MB an answer: four are plenty
		{load.ModeList, 4, 0, stateless, stateless, 1.5},
	}}
	return []group{small, large}
}
