// The last checks of a backend as a row of bars. Pure.
import type { components } from './api.gen';
import { duration, plural } from './format';

export type Beat = components['schemas']['Beat'];
export type BeatKind = 'ok' | 'slow' | 'failed';

/** How many are drawn; where there are fewer, the left is empty. */
export const places = 60;
/** A check that takes longer is slow, in ms. */
const slow = 1000;

export function kindOf(beat: Beat): BeatKind {
	if (beat.ms < 0) return 'failed';
	return beat.ms > slow ? 'slow' : 'ok';
}

/** One path for all bars of a kind; a failure is taller than a success, not only of another colour. */
export function bars(beats: Beat[], kind: BeatKind, width: number, height: number): string {
	const step = width / places;
	const tall = { ok: 0.6, slow: 0.8, failed: 1 }[kind] * height;
	const from = places - Math.min(places, beats.length);
	let d = '';
	beats.slice(-places).forEach((beat, i) => {
		if (kindOf(beat) !== kind) return;
		const x = ((from + i) * step).toFixed(1);
		d += `M${x} ${height}v${-tall}h${(step * 0.7).toFixed(1)}v${tall}z`;
	});
	return d;
}

/** In a sentence. */
export function summary(beats: Beat[]): string {
	const shown = beats.slice(-places);
	if (shown.length === 0) return 'Not checked yet.';
	const failed = shown.filter((beat) => beat.ms < 0).length;
	const slowest = Math.max(...shown.map((beat) => beat.ms));
	const checks = plural(shown.length, 'check');
	if (failed === shown.length) return `The last ${checks} failed.`;
	return `Of the last ${checks} ${failed === 0 ? 'none' : failed} failed; the slowest took ${duration(slowest)}.`;
}
