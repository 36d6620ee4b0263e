// One run of a tool in the playground, from its start to what came of it.
import type { Client } from './mcp/client';
import type { Answer, Outcome, Progress, Question } from './mcp/types';
import type { Json } from './schema/json';

export interface Turn {
	question: Question;
	/** Answers it; there as long as it is open. */
	reply?: (answer: Answer) => void;
	answer?: Answer;
	/** The server took it back. */
	withdrawn?: boolean;
}

export interface Run {
	id: number;
	tool: string;
	args: Json;
	era: string;
	/** Date.now() of its start. */
	started: number;
	progress: Progress | null;
	notes: string[];
	/** The server's questions, in the order in which they came. Several may be open. */
	turns: Turn[];
	outcome: Outcome | null;
}

/** Runs kept for each tool, in this page only. */
export const maxRuns = 10;
const maxNotes = 200;

/** Carries run through. Its members are replaced as things happen, never changed in
 * place, so that a page may watch them without looking into them. */
export async function carry(run: Run, client: Client, signal: AbortSignal, schema: unknown): Promise<void> {
	const outcome = await client.callTool(
		run.tool,
		run.args,
		{
			signal,
			progress: (progress) => (run.progress = progress),
			note: (text) => {
				if (run.notes.length < maxNotes) run.notes = [...run.notes, text];
			},
			ask: (question) =>
				new Promise((resolve) => {
					const turn: Turn = {
						question,
						reply: (answer) => {
							settle(run, (one) => one === turn, { answer });
							resolve(answer);
						},
					};
					run.turns = [...run.turns, turn];
				}),
			withdrawn: (round) => settle(run, ({ question }) => question.round === round, { withdrawn: true }),
		},
		schema,
	);
	settle(run, () => true, { withdrawn: true });
	run.outcome = outcome;
}

/** Says what became of those questions that are open. */
function settle(run: Run, which: (turn: Turn) => boolean, end: Pick<Turn, 'answer' | 'withdrawn'>): void {
	run.turns = run.turns.map((turn) =>
		turn.reply && which(turn) ? { question: turn.question, ...end } : turn,
	);
}

/** How a run ended, as a state and a word. */
export function verdict(outcome: Outcome): {
	state: 'ok' | 'error' | 'cancelled';
	word: string;
	why: string;
} {
	switch (outcome.kind) {
		case 'cancelled':
			return { state: 'cancelled', word: 'cancelled', why: 'Cancelled here.' };
		case 'declined':
			return { state: 'error', word: 'declined here', why: outcome.message };
		case 'rpc':
			return {
				state: 'error',
				word: `protocol error ${outcome.code}`,
				why: meaning(outcome.code, outcome.data),
			};
		case 'transport':
			return {
				state: 'error',
				word: outcome.status ? `no answer, HTTP ${outcome.status}` : 'no answer',
				why: outcome.message,
			};
		case 'result':
			return outcome.result['isError'] === true
				? { state: 'error', word: 'tool error', why: 'The tool ran and says that it failed.' }
				: { state: 'ok', word: 'ok', why: '' };
	}
}

/** What a JSON-RPC code means to somebody who wants to mend it. */
export function meaning(code: number, data?: unknown): string {
	switch (code) {
		case -32700:
			return 'The server could not read the message as JSON.';
		case -32600:
			return 'The server did not take the message for a valid request.';
		case -32601:
			return 'The server does not know this method.';
		case -32602:
			return 'The server refused the arguments, or does not know the tool.';
		case -32603:
			return 'Something failed inside the server.';
		case -32020:
			return 'A header of the request did not say the same as its body.';
		case -32021:
			return `The tool needs something of the client that the playground does not have: ${JSON.stringify(data)?.slice(0, 300) ?? ''}`;
		case -32022:
			return 'The server does not speak this revision of MCP. Try the other one.';
		case -1:
			return 'Something that was asked for was declined.';
		case -32042:
			return 'The tool wants a page to be visited first.';
		default:
			return 'A code of the server’s own.';
	}
}
