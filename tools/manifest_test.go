// Package tools is the programs and libraries that checks of the repository need and linnet does not.
package tools

import (
	"bytes"
	"os"
	"testing"

	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

// The manifests in deploy have no field that Kubernetes does not know, and none of another type.
func TestManifests(t *testing.T) {
	for _, path := range []string{"../deploy/kubernetes.yaml", "../deploy/kubernetes-job.yaml"} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range bytes.Split(b, []byte("\n---\n")) {
			var m struct{ APIVersion, Kind string }
			if err := yaml.Unmarshal(part, &m); err != nil {
				t.Fatal(err)
			}
			kinds := map[string]any{"apps/v1 Deployment": &apps.Deployment{}, "v1 Service": &core.Service{}, "policy/v1 PodDisruptionBudget": &policy.PodDisruptionBudget{}, "batch/v1 Job": &batch.Job{}}
			to, ok := kinds[m.APIVersion+" "+m.Kind]
			if !ok {
				t.Errorf("%s, part %d: there is no %s of %s", path, i, m.Kind, m.APIVersion)
				continue
			}
			if err := yaml.UnmarshalStrict(part, to); err != nil {
				t.Errorf("%s, part %d: %v", path, i, err)
			}
		}
	}
}
