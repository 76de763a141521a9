/* A page as far as a module looks at it while it is loaded and asked: no more than what the tests put there. */

export const listeners = {};

globalThis.document = {
  documentElement: { dataset: {}, style: {} },
  body: null,
  hidden: false,
  addEventListener: (name, heard) => { (listeners[name] ??= []).push(heard); },
  removeEventListener: () => {},
  getElementById: () => null,
  querySelector: () => null,
};
