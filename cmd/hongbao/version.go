package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime/debug"
)

// release is the version that the Makefile links in; a build without it takes the module's.
var release string

// VersionCommand tells what this binary was built from.
type VersionCommand struct{}

// Build is what a binary was built from.
type Build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

// Run prints it.
func (VersionCommand) Run(c *commandLine) error {
	build := readBuild()
	if c.JSON {
		return json.NewEncoder(c.stdout).Encode(build)
	}
	_, err := fmt.Fprintf(c.stdout, "hongbao %s (commit %s, %s)\n", build.Version, build.Commit, build.Go)
	return err
}

func readBuild() Build {
	build := Build{Version: release, Commit: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return build
	}
	build.Version, build.Go = cmp.Or(release, info.Main.Version), info.GoVersion
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			build.Commit = setting.Value
		}
	}
	return build
}
