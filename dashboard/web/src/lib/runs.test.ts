import { expect, it } from 'vitest';
import type { Client, Hooks, Outcome } from './mcp';
import { carry, meaning, verdict, type Asking, type Run } from './runs';

const about = { ms: 1, bytes: 2, raw: '', frames: [], rounds: 0 };
const outcome = (more: object) => ({ ...about, ...more }) as unknown as Outcome;

it('keeps what happened in the order in which it did', async () => {
	const asking: Asking = {};
	const client = {
		callTool: async (_: string, __: unknown, hooks: Hooks) => {
			hooks.progress?.({ progress: 1 });
			hooks.note?.('info: x');
			const answer = await hooks.ask?.({ round: 1, mode: 'form', message: 'm' });
			void hooks.ask?.({ round: 2, mode: 'url', message: 'n', url: 'https://example.com' });
			hooks.withdrawn?.();
			return outcome({ kind: 'result', result: { answer: answer?.action } });
		},
	} as unknown as Client;
	const run = {
		id: 1,
		tool: 'a__b',
		args: { x: 1 },
		era: 'modern',
		started: 0,
		progress: null,
		notes: [],
		turns: [],
		outcome: null,
	} as Run;
	const done = carry(run, client, asking, new AbortController().signal, {});
	expect(run.turns).toHaveLength(1);
	asking.answer!({ action: 'decline' });
	await done;
	expect(run).toMatchObject({
		progress: { progress: 1 },
		notes: ['info: x'],
		turns: [{ answer: { action: 'decline' } }, { withdrawn: true }],
		outcome: { kind: 'result', result: { answer: 'decline' } },
	});
	expect(asking.answer).toBeUndefined();
});

it('says how a run ended', () => {
	expect(verdict(outcome({ kind: 'result', result: {} }))).toMatchObject({ state: 'ok', word: 'ok' });
	expect(verdict(outcome({ kind: 'result', result: { isError: true } }))).toMatchObject({
		state: 'error',
		word: 'tool error',
	});
	expect(verdict(outcome({ kind: 'rpc', code: -32602, message: '' }))).toMatchObject({
		word: 'protocol error -32602',
	});
	expect(verdict(outcome({ kind: 'transport', status: 502, message: 'm' }))).toMatchObject({
		word: 'no answer, HTTP 502',
		why: 'm',
	});
	expect(verdict(outcome({ kind: 'cancelled' }))).toMatchObject({ state: 'cancelled' });
	expect(meaning(-32021, { requiredCapabilities: { x: {} } })).toContain('requiredCapabilities');
});
