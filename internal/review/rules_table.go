package review

import (
	"strings"

	"github.com/marquee-api/marquee/internal/stack"
)

var tableRules = []*Rule{
	{
		ID: "MQ601", Name: "no-recovery", Severity: Warning,
		Title: "A table has no point-in-time recovery",
		Why:   "A faulty deployment can overwrite every item, and there is nothing to go back to.",
		Fix:   "Set PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}.",
		check: func(s *subject, report reporter) {
			for _, t := range s.tables() {
				if t.Properties.At("PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled").Text() != "true" {
					report(t.Position, t.LogicalID, "PointInTimeRecoveryEnabled is not true")
				}
			}
		},
	},
	{
		ID: "MQ602", Name: "table-goes-with-the-stack", Severity: Warning,
		Title: "A table is deleted with its stack",
		Why:   "Deleting the stack, or a change that replaces the table, deletes the data.",
		Fix:   "Set DeletionPolicy and UpdateReplacePolicy to Retain, or DeletionProtectionEnabled.",
		check: func(s *subject, report reporter) {
			for _, t := range s.tables() {
				kept := strings.HasPrefix(t.Attributes.At("DeletionPolicy").Text(), "Retain")
				if !kept && t.Properties.At("DeletionProtectionEnabled").Text() != "true" {
					report(t.Position, t.LogicalID, "neither DeletionPolicy nor DeletionProtectionEnabled keeps it")
				}
			}
		},
	},
	{
		ID: "MQ603", Name: "key-of-aws", Severity: Note,
		Title: "A table is encrypted with a key that nobody sees",
		Why:   "DynamoDB encrypts with a key of its own. With SSEEnabled the use of the key is in the trail, and can be taken away.",
		Fix:   "Set SSESpecification: {SSEEnabled: true}.",
		check: func(s *subject, report reporter) {
			for _, t := range s.tables() {
				if t.Properties.At("SSESpecification", "SSEEnabled").Text() != "true" {
					report(t.Position, t.LogicalID, "SSEEnabled is not true")
				}
			}
		},
	},
}

func (s *subject) tables() []*stack.Resource {
	return s.Resources("AWS::DynamoDB::Table", "AWS::Serverless::SimpleTable")
}
