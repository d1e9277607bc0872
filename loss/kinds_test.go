package loss_test

import (
	"testing"

	"github.com/linnet-ml/linnet/internal/kindtest"
	"github.com/linnet-ml/linnet/loss"
)

func TestListOfKinds(t *testing.T) { kindtest.Check(t, loss.Kinds()) }
