package nn_test

import (
	"testing"

	"github.com/linnet-ml/linnet/internal/kindtest"
	"github.com/linnet-ml/linnet/nn"
)

func TestListOfKinds(t *testing.T) { kindtest.Check(t, nn.Kinds(), "noOptimizer", "factorLoss") }
