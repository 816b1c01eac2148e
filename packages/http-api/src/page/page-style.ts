/** Style of the start page; the content security policy names it by its hash. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ink: #1d2733; --quiet: #5b6875; --ground: #fbfaf8; --card: #f1efeb; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ec; --quiet: #a3adb8; --ground: #14181d; --card: #1f252c; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1.0625rem/1.6 system-ui, sans-serif; }
main { max-width: 42rem; margin: 0 auto; padding: 12vh 1.5rem 4rem; }
h1 { font-size: 2rem; font-weight: 600; margin: 0 0 .25rem; letter-spacing: -.01em; }
h2 { font-size: 1.0625rem; font-weight: 600; margin: 2.25rem 0 .5rem; }
p { margin: .5rem 0; }
.quiet { color: var(--quiet); }
pre { background: var(--card); border-radius: .5rem; padding: .9rem 1.1rem; overflow-x: auto; font-size: .9rem; }
a { color: inherit; text-underline-offset: .2em; }
a:focus-visible { outline: 2px solid; outline-offset: 3px; }
`;
