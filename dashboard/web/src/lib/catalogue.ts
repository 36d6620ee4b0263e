// The catalogue of tools as a person looks at it: searched, sorted, grouped, and
// with what is worth knowing about it. Pure, and quick for thousands of tools.
export * from './catalogue/entry';
export * from './catalogue/hints';
export * from './catalogue/order';
export * from './catalogue/search';
export * from './catalogue/tokens';
