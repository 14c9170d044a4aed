//go:build ignore

// Report reads what go test -json writes and prints what go test would have: the output of tests that failed, and a
// line a package. It ends with how many tests passed and failed. It exits 1 when one failed, and, with
// HONGBAO_REQUIRE_SERVICES=1, when one was skipped.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
)

// event is a line of go test -json; see go doc test2json.
type event struct {
	Action, Package, Test, Output string
}

// report collects the output of tests until their outcome is known.
type report struct {
	output                  map[[2]string]string // by package and test
	broken                  map[string]bool      // packages in which something failed
	passed, failed, skipped int
	skips                   string
}

func main() {
	r := report{output: map[[2]string]string{}, broken: map[string]bool{}}
	decoder := json.NewDecoder(os.Stdin)
	for {
		var e event
		err := decoder.Decode(&e)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Fatal("report: go test wrote no JSON: ", err)
		}
		r.add(e)
	}
	os.Exit(r.finish())
}

func (r *report) add(e event) {
	key := [2]string{e.Package, e.Test}
	switch {
	case e.Action == "output" && e.Output == "PASS\n": // go test says it only of one package
	case e.Action == "output" && e.Test == "", e.Action == "build-output":
		fmt.Print(e.Output)
	case e.Action == "output":
		r.output[key] += e.Output
	case e.Action == "fail" && e.Test == "" && r.broken[e.Package]: // because of a test, which is counted
	case e.Action == "fail":
		fmt.Print(r.output[key])
		r.broken[e.Package] = true
		r.failed++
	case e.Action == "skip" && e.Test != "":
		r.skips += r.output[key]
		r.skipped++
	case e.Action == "pass" && e.Test != "":
		r.passed++
	}
	if e.Action != "output" {
		delete(r.output, key)
	}
}

func (r *report) finish() int {
	fmt.Print(r.skips)
	fmt.Printf("%d passed, %d failed, %d skipped\n", r.passed, r.failed, r.skipped)
	if r.failed > 0 || r.skipped > 0 && os.Getenv("HONGBAO_REQUIRE_SERVICES") == "1" {
		return 1
	}
	return 0
}
