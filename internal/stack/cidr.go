package stack

import (
	"math/big"
	"net/netip"
	"strconv"
	"strings"
)

// mostBlocks is how many blocks Fn::Cidr makes (CloudFormation template reference, Fn::Cidr).
const mostBlocks = 256

// cidr is {"Fn::Cidr": [block, count, bits]}: count blocks, one after the other from the start of block, with so many bits
// of the address left in each. What CloudFormation does without bits is not documented.
func (r *resolver) cidr(arg *value, pos Position) (*value, error) {
	args, err := r.args("Fn::Cidr", arg, [2]int{2, 3})
	if err != nil {
		return nil, err
	}
	if len(args) == 2 {
		return nil, r.errorf(pos, "Fn::Cidr has no third argument, and how large the blocks are without it is not documented: give the bits of an address "+
			"that each block leaves free, 8 for a /24")
	}
	block, err := r.cidrBlock(args[0])
	if err != nil {
		return nil, err
	}
	count, err := r.cidrNumber(args[1], "the count", mostBlocks)
	if err != nil {
		return nil, err
	}
	width := block.Addr().BitLen()
	bits, err := r.cidrNumber(args[2], "the number of bits", width)
	if err != nil {
		return nil, err
	}
	length := width - bits
	free := length - block.Bits() // bits that tell the blocks apart
	if free < 0 || free < 31 && count > 1<<free {
		return nil, r.errorf(pos, "Fn::Cidr cannot cut %d blocks of /%d out of %s", count, length, block)
	}
	out := listValue(pos)
	for i := range count {
		text := netip.PrefixFrom(nthBlock(block.Addr(), i, bits), length).String()
		item, err := r.made(text, pos)
		if err != nil {
			return nil, err
		}
		out.items = append(out.items, item)
	}
	return out, nil
}

// cidrBlock reads an address block. CloudFormation starts from its first address, whatever bits are set after the prefix.
func (r *resolver) cidrBlock(v *value) (netip.Prefix, error) {
	text, err := r.text(v, "the block of Fn::Cidr")
	if err != nil {
		return netip.Prefix{}, err
	}
	block, err := netip.ParsePrefix(strings.TrimSpace(text))
	if err != nil || block.Addr().Is4In6() {
		return netip.Prefix{}, r.errorf(v.pos, "the block of Fn::Cidr is %q, not an address block such as 10.0.0.0/16 or 2001:db8::/56", text)
	}
	return block.Masked(), nil
}

func (r *resolver) cidrNumber(v *value, what string, most int) (int, error) {
	text, err := r.text(v, what+" of Fn::Cidr")
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, r.errorf(v.pos, "%s of Fn::Cidr is %q, not a whole number from 1 to %d", what, text, most)
	}
	return n, nil
}

// nthBlock counts on from an address by whole blocks.
func nthBlock(first netip.Addr, n, bits int) netip.Addr {
	raw := first.AsSlice()
	sum := new(big.Int).SetBytes(raw)
	sum.Add(sum, new(big.Int).Lsh(big.NewInt(int64(n)), uint(bits)))
	addr, _ := netip.AddrFromSlice(sum.FillBytes(raw)) // it has the first address's length, and the blocks fit
	return addr
}
