// What the playground's MCP client takes and tells.
import type { Json, JsonObject } from '../schema/json';

export type Era = 'modern' | 'legacy';

export const revision: Record<Era, string> = { modern: '2026-07-28', legacy: '2025-11-25' };

/** Something a server asks of the person at the page. */
export interface Question {
	/** Which round of questions this is, from 1. */
	round: number;
	mode: 'form' | 'url';
	message: string;
	/** Of the form mode. */
	schema?: unknown;
	/** Of the url mode. */
	url?: string;
}

export type Answer = { action: 'accept'; content?: Json } | { action: 'decline' | 'cancel' };

export interface Progress {
	progress: number;
	total?: number;
	message?: string;
}

/** One message of a call, as it was on the wire. */
export interface Frame {
	direction: 'sent' | 'received';
	at: number;
	text: string;
}

/** What a call tells while it runs. */
export interface Hooks {
	signal?: AbortSignal;
	progress?(progress: Progress): void;
	/** A log message of the server's, or a question that was answered without asking. */
	note?(text: string): void;
	ask?(question: Question): Promise<Answer>;
	/** The server no longer wants its question of this round answered. */
	withdrawn?(round: number): void;
}

export type Outcome = {
	ms: number;
	/** Of the last answer, as text. */
	bytes: number;
	raw: string;
	frames: Frame[];
	rounds: number;
} & (
	| { kind: 'result'; result: JsonObject }
	| { kind: 'rpc'; code: number; message: string; data?: unknown }
	| { kind: 'transport'; status?: number; message: string }
	| { kind: 'declined'; message: string }
	| { kind: 'cancelled' }
);
