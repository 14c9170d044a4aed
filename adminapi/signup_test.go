package adminapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"hongbao"
)

func (b *bed) bomb(name string) {
	b.t.Helper()
	b.post("/admin/v1/campaigns", fmt.Sprintf(`{"name":%q,"kind":"bomb","opens_at":"+1h","signup":"invited","budget":{"total_fen":1000,"count":10}}`, name)).must(http.StatusCreated)
}

func TestSignUpCountsAddedAndKnown(t *testing.T) {
	b := newBed(t)
	b.bomb("b")
	const path = "/admin/v1/campaigns/1/signups"
	for _, row := range []struct {
		name, kind, body string
		added, known     int
	}{
		{"numbers and strings", "application/json", `{"uids":[0,"1",9007199254740991]}`, 3, 0},
		{"the same again", "", `{"uids":[0,1,9007199254740991]}`, 0, 3},
		{"one new, one twice", "application/json", `{"uids":[5,5,1]}`, 1, 2},
		{"lines", "text/csv", "6\n7\n8", 3, 0},
		{"lines with a header and an end", "text/csv; charset=utf-8", "uid\r\n8\r\n9\r\n", 1, 1},
		{"lines of a spreadsheet", "text/csv", "\ufeffuid\n\"10\"\n\n11\n", 2, 0},
	} {
		var told signUpCount
		b.post(path, row.body, "Content-Type: "+row.kind).must(http.StatusOK).into(&told)
		if told != (signUpCount{row.added, row.known}) {
			t.Errorf("%s: %+v", row.name, told)
		}
	}
	var c campaign
	b.get("/admin/v1/campaigns/1").into(&c)
	if c.SignedUp != 10 {
		t.Errorf("%d signed up, want 10", c.SignedUp)
	}
}

func TestSignUpNamesThePlaceOfAnError(t *testing.T) {
	b := newBed(t)
	b.bomb("b")
	for _, row := range []struct{ name, kind, body, says string }{
		{"a negative number", "", `{"uids":[1,-2]}`, "uids[1]"},
		{"a fraction", "", `{"uids":[1.0]}`, "uids[0]"},
		{"an exponent", "", `{"uids":[1e3]}`, "uids[0]"},
		{"too large", "", `{"uids":[1,2,9007199254740992]}`, "uids[2]"},
		{"a word", "", `{"uids":["x"]}`, "uids[0]"},
		{"an empty string", "", `{"uids":[""]}`, "uids[0]"},
		{"null", "", `{"uids":[null]}`, "uids[0]"},
		{"a list in it", "", `{"uids":[[1]]}`, "uids[0]"},
		{"no list", "", `{"uids":1}`, "a list of uids"},
		{"an empty list", "", `{"uids":[]}`, "1 to 100000"},
		{"an unknown key", "", `{"uid":[1]}`, "did you mean uids?"},
		{"a key twice", "", `{"uids":[1],"uids":[2]}`, "given once"},
		{"too many", "", `{"uids":[` + strings.Repeat("1,", hongbao.InvitesMax) + `1]}`, "100000"},
		{"a word in line 2", "text/csv", "1\nx\n", "line 2"},
		{"a header further down", "text/csv", "1\nuid\n", "line 2"},
		{"two columns", "text/csv", "uid\n1,2\n", "line 2"},
		{"a quote that never ends", "text/csv", "1\n\"2", "line 2"},
		{"too many lines", "text/csv", strings.Repeat("1\n", hongbao.InvitesMax+1), "100000"},
		{"no line", "text/csv", "uid\n", "1 to 100000"},
	} {
		p := b.post("/admin/v1/campaigns/1/signups", row.body, "Content-Type: "+row.kind).must(http.StatusBadRequest).problem()
		if !strings.Contains(p.Detail, row.says) {
			t.Errorf("%s: %s", row.name, p.Detail)
		}
	}
	b.post("/admin/v1/campaigns/1/signups", strings.Repeat(" ", signUpBodyMax+1)).must(http.StatusRequestEntityTooLarge)
	var c campaign
	if b.get("/admin/v1/campaigns/1").into(&c); c.SignedUp != 0 {
		t.Errorf("%d signed up by requests that were refused", c.SignedUp)
	}
}

func TestALargestSignUpFits(t *testing.T) {
	b := newBed(t)
	b.bomb("b")
	body := &strings.Builder{}
	body.WriteString(`{"uids":[`)
	for i := range hongbao.InvitesMax {
		if i > 0 {
			body.WriteString(",\n    ")
		}
		fmt.Fprintf(body, `"%d"`, hongbao.UIDMax-i)
	}
	body.WriteString("]}")
	var told signUpCount
	b.post("/admin/v1/campaigns/1/signups", body.String()).must(http.StatusOK).into(&told)
	if told.Added != hongbao.InvitesMax {
		t.Errorf("%+v", told)
	}
}

// FuzzSignUpLists checks that whatever is accepted is a list of uids, and that writing it down reads back the same.
func FuzzSignUpLists(f *testing.F) {
	for _, seed := range []string{`{"uids":[1,"2"]}`, "uid\n1\n2\n", `{"uids":[1e3]}`, "\ufeff1\r\n", "\"1\n", `{"uids":[`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for name, parse := range map[string]func([]byte) ([]uint64, error){"JSON": parseUIDs, "lines": parseUIDLines} {
			uids, err := parse(body)
			if err != nil {
				if p := problemOf(err); p.Status != http.StatusBadRequest {
					t.Errorf("%s: %v is no bad request", name, err)
				}
				continue
			}
			lines, list := "", `{"uids":[`
			for i, uid := range uids {
				if uid > hongbao.UIDMax {
					t.Fatalf("%s: uid %d", name, uid)
				}
				lines += fmt.Sprintln(uid)
				list += strings.Repeat(",", min(i, 1)) + fmt.Sprint(uid)
			}
			fromLines, err1 := parseUIDLines([]byte(lines))
			fromList, err2 := parseUIDs([]byte(list + "]}"))
			if err1 != nil || err2 != nil || !slices.Equal(fromLines, uids) || !slices.Equal(fromList, uids) {
				t.Errorf("%s: %v reads back as %v (%v) and %v (%v)", name, uids, fromLines, err1, fromList, err2)
			}
		}
	})
}
