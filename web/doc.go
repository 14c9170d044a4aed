// Package web has the two pages, and what an HTTP server answers about them: the player page, for the public port, and the
// admin console. They are files as the browser takes them, embedded in the program: there is no build step.
//
// player/ and console/ are ours. vendor/ is what others wrote, by scripts/vendor-web: modules at pinned versions that import
// one another by relative path, with their licences. test/ drives a real browser against the real program.
//
// It promises that a page loads nothing from another server and runs no script that is not a file of ours, whatever ends up in its
// markup: the policy that goes with every answer says so to the browser. Answers are made once, at start; a path is looked
// up among them, never in a file system.
//
// It does not know the ports: playerapi and adminapi write its answers down.
package web
