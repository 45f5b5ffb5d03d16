package stack_test

import (
	"testing"
)

// TestCidr: the blocks are worked out by hand. The first is the example of the CloudFormation template reference.
func TestCidr(t *testing.T) {
	tests := map[string]struct{ expr, want string }{
		"AWS's own example":        {`["192.168.0.0/24", "6", "5"]`, "192.168.0.0/27 192.168.0.32/27 192.168.0.64/27 192.168.0.96/27 192.168.0.128/27 192.168.0.160/27"},
		"numbers":                  {`[10.0.0.0/16, 2, 8]`, "10.0.0.0/24 10.0.1.0/24"},
		"past a byte":              {`[10.0.254.0/23, 2, 8]`, "10.0.254.0/24 10.0.255.0/24"},
		"bits after the prefix":    {`[10.0.7.9/16, 1, 8]`, "10.0.0.0/24"},
		"the block itself":         {`[10.0.0.0/24, 1, 8]`, "10.0.0.0/24"},
		"the last of all":          {`[255.255.255.252/30, 2, 1]`, "255.255.255.252/31 255.255.255.254/31"},
		"IPv6":                     {`["2001:db8:1234:1a00::/56", 3, 64]`, "2001:db8:1234:1a00::/64 2001:db8:1234:1a01::/64 2001:db8:1234:1a02::/64"},
		"IPv6 past 64 bits":        {`["fd00::ffff:ffff:ffff:ff00/120", 2, 4]`, "fd00::ffff:ffff:ffff:ff00/124 fd00::ffff:ffff:ffff:ff10/124"},
		"of a parameter":           {`[!Ref Block, 1, 4]`, "172.16.0.0/28"},
		"of a VPC of the template": {`[!GetAtt Vpc.CidrBlock, 1, 6]`, "10.9.0.0/26"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			check(t, "the blocks", parse(t, cidrTemplate(`!Join [" ", !Cidr `+tt.expr+`]`)).Functions[0].Environment["V"], tt.want)
		})
	}
	check(t, "one of them", parse(t, cidrTemplate(`!Select [255, !Cidr [10.0.0.0/16, 256, 8]]`)).Functions[0].Environment["V"], "10.0.255.0/24")
}

func cidrTemplate(expr string) string {
	return sam + `Parameters: {Block: {Type: String, Default: 172.16.0.0/20}}
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.9.0.0/24}}
  F: {Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2023, Environment: {Variables: {V: ` + expr + `}}}}
`
}

func TestCidrErrors(t *testing.T) {
	tests := map[string]struct{ expr, want string }{
		"too few arguments": {`[10.0.0.0/16]`, "Fn::Cidr takes a list of 2 to 3"},
		"no bits":           {`[10.0.0.0/16, 2]`, "Fn::Cidr has no third argument, and how large the blocks are without it is not documented: give the bits of an address that each block leaves free, 8 for a /24"},
		"no list":           {`10.0.0.0/16`, "Fn::Cidr takes a list of 2 to 3"},
		"no block":          {`[10.0.0.0, 2, 8]`, `the block of Fn::Cidr is "10.0.0.0", not an address block such as 10.0.0.0/16 or 2001:db8::/56`},
		"no address":        {`[10.0.0.256/16, 2, 8]`, `the block of Fn::Cidr is "10.0.0.256/16", not an address block such as 10.0.0.0/16 or 2001:db8::/56`},
		"IPv4 in IPv6":      {`["::ffff:10.0.0.0/112", 2, 8]`, `the block of Fn::Cidr is "::ffff:10.0.0.0/112", not an address block such as 10.0.0.0/16 or 2001:db8::/56`},
		"none":              {`[10.0.0.0/16, 0, 8]`, `the count of Fn::Cidr is "0", not a whole number from 1 to 256`},
		"too many":          {`[10.0.0.0/16, 257, 1]`, `the count of Fn::Cidr is "257", not a whole number from 1 to 256`},
		"a count in words":  {`[10.0.0.0/16, two, 8]`, `the count of Fn::Cidr is "two", not a whole number from 1 to 256`},
		"no bit":            {`[10.0.0.0/16, 1, 0]`, `the number of bits of Fn::Cidr is "0", not a whole number from 1 to 32`},
		"more bits":         {`[10.0.0.0/16, 1, 33]`, `the number of bits of Fn::Cidr is "33", not a whole number from 1 to 32`},
		"more bits, IPv6":   {`["2001:db8::/56", 1, 129]`, `the number of bits of Fn::Cidr is "129", not a whole number from 1 to 128`},
		"larger blocks":     {`[10.0.0.0/24, 1, 9]`, "Fn::Cidr cannot cut 1 blocks of /23 out of 10.0.0.0/24"},
		"not so many":       {`[10.0.0.0/24, 9, 5]`, "Fn::Cidr cannot cut 9 blocks of /27 out of 10.0.0.0/24"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := refuse(t, cidrTemplate(`!Select [0, !Cidr `+tt.expr+`]`))
			check(t, "the error", got, []string{"t.yaml:5: F: Environment.Variables.V: " + tt.want})
		})
	}
}
