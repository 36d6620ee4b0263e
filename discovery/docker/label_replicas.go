package docker

import "mcp-gw/discovery"

var replicaLabels = []label{
	{key: "weight", kind: "0–100", fallback: "`1`", example: "0",
		doc: "The share of new sessions that this container gets among the replicas of its compose service. `0` gives it none and leaves those that it has alone.", wrong: "is not a number from 0 to 100", set: setWeight},
	{key: "balance", kind: "`sticky`, `round-robin` or `least-busy`", fallback: "`sticky`", example: "round-robin",
		doc: "How sessions are spread over replicas: to the one with the fewest for its weight, in turn, or to the one with the fewest calls under way. A session stays where it is; requests of clients and servers that have none are spread one by one, except that `sticky` keeps each client with sessions at one replica.", wrong: "is none of sticky, round-robin, least-busy", set: setBalance},
}

func setWeight(s *settings, _, value string) (_ string, err error) {
	s.weight, err = between(value, 0, 100, 1)
	return "", err
}

func setBalance(s *settings, _, value string) (string, error) {
	v, err := oneOf(value, string(discovery.BalanceSticky), string(discovery.BalanceRoundRobin), string(discovery.BalanceLeastBusy))
	if err == nil {
		s.balance = discovery.Balance(v)
	}
	return "", err
}
