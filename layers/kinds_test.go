package layers_test

import (
	"testing"

	"github.com/linnet-ml/linnet/internal/kindtest"
	"github.com/linnet-ml/linnet/layers"
)

func TestListOfKinds(t *testing.T) {
	kindtest.Check(t, layers.Kinds(), "cell", "projection", "unitForgetBias")
}
