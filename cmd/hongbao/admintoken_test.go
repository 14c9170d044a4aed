package main

import (
	"path/filepath"
	"sync"
	"testing"
)

func TestNodesThatStartOnOneFolderAtOnceShareTheFirstToken(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "data")
	tokens := make([]string, 8)
	var all sync.WaitGroup
	for i := range tokens {
		all.Go(func() {
			var err error
			if tokens[i], err = firstAdminToken(dir); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, token := range tokens {
		if len(token) < 16 || token != tokens[0] {
			t.Fatalf("tokens are %q", tokens)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
		t.Errorf("%q are left in the folder", left)
	}
}
