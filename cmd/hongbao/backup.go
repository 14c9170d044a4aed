package main

import (
	"fmt"
	"io"
	"net/http"
)

// BackupCommand copies the data folder of a running server.
type BackupCommand struct {
	serverFlags
	To string `required:"" placeholder:"DIR" help:"Folder on the server that does not exist or is empty. The copy holds the secret."`
}

// Run tells where the copy is.
func (b *BackupCommand) Run(c *commandLine) error {
	if c.Engine == engineCluster {
		return errNoFolder
	}
	ctx, cancel := c.untilSignal()
	defer cancel()
	client, err := b.client(c)
	if err != nil {
		return err
	}
	var done struct {
		To string `json:"to"`
	}
	if err := client.ask(ctx, http.MethodPost, "/admin/v1/backup", map[string]string{"to": absolute(b.To)}, &done); err != nil {
		return err
	}
	return c.print(done, func(w io.Writer) { fmt.Fprintf(w, "backed up to %s\n", done.To) })
}
