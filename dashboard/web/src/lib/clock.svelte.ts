// One clock for the whole page, which ticks once a second while somebody looks.
let now = $state(Date.now());
setInterval(() => {
	if (!document.hidden) now = Date.now();
}, 1000);
document.addEventListener('visibilitychange', () => (now = Date.now()));

export const clock = {
	get now() {
		return now;
	},
};
