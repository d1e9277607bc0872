package metrics_test

import (
	"testing"

	"github.com/linnet-ml/linnet/internal/kindtest"
	"github.com/linnet-ml/linnet/metrics"
)

func TestListOfKinds(t *testing.T) { kindtest.Check(t, metrics.Kinds()) }
