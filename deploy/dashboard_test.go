package deploy

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const dashboardFile = "grafana/dashboards/hongbao.json"

type datasource struct{ Type, UID string }

// dashboard is what we rely on of Grafana's format.
type dashboard struct {
	UID, Title string
	Templating struct {
		List []struct {
			Name, Type, Query string
			Current           struct{ Value string }
		}
	}
	Panels []struct {
		ID          int
		Type, Title string
		Datasource  datasource
		GridPos     struct{ H, W, X, Y int }
		Targets     []struct {
			RefID, Expr string
			Datasource  datasource
		}
	}
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	if err := json.Unmarshal(read(t, dashboardFile), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// variables stand in for what Grafana replaces in an expression.
var variables = strings.NewReplacer("$__rate_interval", "1m")

func TestDashboard(t *testing.T) {
	d, known := readDashboard(t), exported(t)
	source := datasource{Type: "prometheus", UID: "${datasource}"}
	ids, titles, charts := map[int]bool{}, map[string]bool{}, 0
	for _, panel := range d.Panels {
		if ids[panel.ID] || titles[panel.Title] || panel.Title == "" {
			t.Errorf("panel %d, %q: the id or the title is there twice", panel.ID, panel.Title)
		}
		ids[panel.ID], titles[panel.Title] = true, true
		if at := panel.GridPos; at.W < 1 || at.H < 1 || at.X < 0 || at.X+at.W > 24 {
			t.Errorf("%s: does not fit the grid: %+v", panel.Title, at)
		}
		if panel.Type == "row" {
			continue
		}
		charts++
		if panel.Datasource != source || len(panel.Targets) == 0 {
			t.Errorf("%s: the data source is %+v, with %d targets", panel.Title, panel.Datasource, len(panel.Targets))
		}
		for _, target := range panel.Targets {
			if target.Datasource != source || target.RefID == "" {
				t.Errorf("%s: the data source of target %q is %+v", panel.Title, target.RefID, target.Datasource)
			}
			checkMetrics(t, variables.Replace(target.Expr), known)
		}
	}
	if charts == 0 {
		t.Error("no panel")
	}
}

// TestGrafanaFindsWhatIsProvisioned follows the paths from compose.yaml to the dashboard and its data source.
func TestGrafanaFindsWhatIsProvisioned(t *testing.T) {
	grafana := service(t, "grafana")
	provisioning := mount(grafana, "/etc/grafana/provisioning")
	var sources struct {
		Datasources []struct{ UID, Type, URL string }
	}
	decode(t, filepath.Join(provisioning, "datasources/prometheus.yaml"), &sources)
	if len(sources.Datasources) != 1 || sources.Datasources[0].URL != "http://prometheus:9090" {
		t.Fatalf("the data sources are %+v", sources.Datasources)
	}
	service(t, "prometheus") // that the URL names
	variable := readDashboard(t).Templating.List
	if len(variable) != 1 || variable[0].Name != "datasource" || variable[0].Type != "datasource" ||
		variable[0].Query != sources.Datasources[0].Type || variable[0].Current.Value != sources.Datasources[0].UID {
		t.Errorf("the dashboard's data source is %+v, provisioned is %+v", variable, sources.Datasources[0])
	}
	var dashboards struct {
		Providers []struct {
			Type    string
			Options struct{ Path string }
		}
	}
	decode(t, filepath.Join(provisioning, "dashboards/hongbao.yaml"), &dashboards)
	if len(dashboards.Providers) != 1 || dashboards.Providers[0].Type != "file" {
		t.Fatalf("the providers are %+v", dashboards.Providers)
	}
	path := dashboards.Providers[0].Options.Path
	files, err := filepath.Glob(filepath.Join(mount(grafana, path), "*.json"))
	if err != nil || !slices.ContainsFunc(files, func(f string) bool { return strings.HasSuffix(f, "/"+dashboardFile) }) {
		t.Errorf("at %s Grafana finds %q (%v)", path, files, err)
	}
	if home := env(grafana, "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"); home != path+"/"+filepath.Base(dashboardFile) {
		t.Errorf("the home dashboard is %q", home)
	}
	if !hasSecret(grafana, env(grafana, "GF_SECURITY_ADMIN_PASSWORD__FILE")) {
		t.Error("the password is no secret of Grafana")
	}
}

func decode(t *testing.T, file string, into any) {
	t.Helper()
	if err := yaml.Unmarshal(read(t, file), into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
