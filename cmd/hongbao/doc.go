// Command hongbao is the red-packet campaign server and the tools around it.
//
// It is the only place that knows flags, environment variables, the config file and exit codes: every package below
// takes an Options struct. A command exits with 0 when all is well, 1 when it failed or found a difference, and 2 on
// bad usage or configuration.
package main
