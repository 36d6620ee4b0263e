import { expect, it } from 'vitest';
import type { Client } from './mcp/client';
import type { Hooks, Outcome } from './mcp/types';
import { carry, meaning, verdict, type Run } from './runs';

const about = { ms: 1, bytes: 2, raw: '', frames: [], rounds: 0 };
const outcome = (more: object) => ({ ...about, ...more }) as unknown as Outcome;

const begun = (): Run => ({
	id: 1,
	tool: 'a__b',
	args: { x: 1 },
	era: 'modern',
	started: 0,
	progress: null,
	notes: [],
	turns: [],
	outcome: null,
});

it('keeps what happened in the order in which it did', async () => {
	const client = {
		callTool: async (_: string, __: unknown, hooks: Hooks) => {
			hooks.progress?.({ progress: 1 });
			hooks.note?.('info: x');
			const answer = await hooks.ask?.({ round: 1, mode: 'form', message: 'm' });
			void hooks.ask?.({ round: 2, mode: 'url', message: 'n', url: 'https://example.com' });
			hooks.withdrawn?.(2);
			return outcome({ kind: 'result', result: { answer: answer?.action } });
		},
	} as unknown as Client;
	const run = begun();
	const done = carry(run, client, new AbortController().signal, {});
	expect(run.turns).toHaveLength(1);
	run.turns[0]!.reply!({ action: 'decline' });
	await done;
	expect(run).toMatchObject({
		progress: { progress: 1 },
		notes: ['info: x'],
		turns: [{ answer: { action: 'decline' } }, { withdrawn: true }],
		outcome: { kind: 'result', result: { answer: 'decline' } },
	});
});

it('brings each of several open questions its own answer', async () => {
	const answers: unknown[] = [];
	let end = () => {};
	const client = {
		callTool: async (_: string, __: unknown, hooks: Hooks) => {
			for (const round of [1, 2, 3, 4]) {
				void hooks
					.ask?.({ round, mode: 'form', message: '' })
					.then((answer) => answers.push([round, answer]));
			}
			hooks.withdrawn?.(2);
			await new Promise<void>((resolve) => (end = resolve));
			return outcome({ kind: 'result', result: {} });
		},
	} as unknown as Client;
	const run = begun();
	const done = carry(run, client, new AbortController().signal, {});
	const open = () => run.turns.filter((turn) => turn.reply).map((turn) => turn.question.round);
	expect(open()).toEqual([1, 3, 4]);
	const { reply } = run.turns[0]!;
	reply!({ action: 'decline' });
	reply!({ action: 'cancel' }); // clicked twice
	expect(open()).toEqual([3, 4]);
	run.turns[3]!.reply!({ action: 'accept', content: { n: 4 } });
	end();
	await done;
	expect(answers).toEqual([
		[1, { action: 'decline' }],
		[4, { action: 'accept', content: { n: 4 } }],
	]);
	expect(run.turns.map(({ answer, withdrawn }) => answer?.action ?? withdrawn)).toEqual([
		'decline',
		true,
		true,
		'accept',
	]);
	expect(open()).toEqual([]);
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
