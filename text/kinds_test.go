package text_test

import (
	"testing"

	"github.com/linnet-ml/linnet/internal/kindtest"
	"github.com/linnet-ml/linnet/text"
)

func TestListOfKinds(t *testing.T) { kindtest.Check(t, text.Kinds()) }
