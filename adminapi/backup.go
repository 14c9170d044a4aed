package adminapi

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"hongbao"
)

func (s *Server) backupRoute() {
	register(s, Operator, huma.Operation{
		OperationID: "backup", Method: http.MethodPost, Path: "/admin/v1/backup", Tags: []string{tagBooks},
		Summary: "Copy the data to a folder on the server, while it runs",
		Description: "The folder is absolute, or relative to where the server was started; it must not exist or be empty. The copy holds " +
			"the secret that seeds derive from. One backup runs at a time: 409 backup_running.",
		RequestBody: jsonBody[backupOrder](s),
	}, s.runBackup)
}

// backupOrder is the body of a backup.
type backupOrder struct {
	_  struct{} `additionalProperties:"false"`
	To string   `json:"to" minLength:"1" doc:"Path of the folder on the server"`
}

// backupDone is where a backup went.
type backupDone struct {
	To string `json:"to" doc:"Absolute path of the folder"`
}

type backupInput struct {
	RawBody []byte
}

type backupOutput struct {
	Body backupDone
}

func (s *Server) runBackup(ctx context.Context, in *backupInput) (*backupOutput, error) {
	var order backupOrder
	if err := hongbao.DecodeStrict(in.RawBody, &order); err != nil {
		return nil, err
	}
	if !s.backingUp.TryLock() {
		return nil, running("backup_running", "a backup is running; ask again when it is through")
	}
	defer s.backingUp.Unlock()
	to, err := filepath.Abs(order.To)
	if err != nil || order.To == "" || strings.ContainsRune(order.To, 0) {
		return nil, hongbao.Invalid("to", order.To, "the path of a folder on the server")
	}
	if err := s.backup(ctx, to); err != nil {
		return nil, backupError(order.To, err)
	}
	return &backupOutput{backupDone{To: to}}, nil
}

// backupError tells a folder that can't be written from a server that can't be read.
func backupError(to string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) && errors.Is(err, fs.ErrPermission) {
		return hongbao.Invalid("to", to, "a folder that the server may write to: "+err.Error())
	}
	return err
}
