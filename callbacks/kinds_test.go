package callbacks_test

import (
	"testing"

	"github.com/linnet-ml/linnet/callbacks"
	"github.com/linnet-ml/linnet/internal/kindtest"
)

func TestListOfKinds(t *testing.T) { kindtest.Check(t, callbacks.Kinds()) }
