export interface Badge {
	text: string;
	/** What it says, for those who do not see where it stands. */
	means: string;
	tone: 'count' | 'problem' | 'error';
}

let all = $state.raw<Record<string, Badge | undefined>>({});
let version = $state('');

/** What the rail says of each page, by its name. */
export const badges = {
	of(page: string): Badge | undefined {
		return all[page];
	},
	set(page: string, badge: Badge | undefined) {
		if (all[page]?.text !== badge?.text || all[page]?.tone !== badge?.tone) all = { ...all, [page]: badge };
	},
	get version() {
		return version;
	},
	set version(value: string) {
		version = value;
	},
};
