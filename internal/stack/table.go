package stack

import "slices"

func (b *builder) readTables() {
	for _, res := range b.ofType("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable") {
		b.stack.Tables = append(b.stack.Tables, b.readTable(res))
	}
}

func (b *builder) readTable(res *resource) *Table {
	c := b.cursor(res)
	t := &Table{
		LogicalID: res.id, Name: b.name(res), ARN: b.arn(res), Position: res.pos,
		KeySchema:     readKeys(c.at("KeySchema")),
		GlobalIndexes: readIndexes(c.at("GlobalSecondaryIndexes")),
		LocalIndexes:  readIndexes(c.at("LocalSecondaryIndexes")),
		BillingMode:   c.at("BillingMode").textOr("PROVISIONED"),
	}
	for _, a := range c.at("AttributeDefinitions").items() {
		t.Attributes = append(t.Attributes, Attribute{a.at("AttributeName").text(), a.at("AttributeType").text()})
	}
	t.ReadCapacity, t.WriteCapacity = readThroughput(c)
	if ttl := c.at("TimeToLiveSpecification"); ttl.at("Enabled").flag() {
		t.TTLAttribute = ttl.at("AttributeName").text()
	}
	if stream := c.at("StreamSpecification"); stream.exists() {
		t.StreamViewType = stream.at("StreamViewType").text()
		if arn, err := b.r.attribute(res.id, "StreamArn", res.pos); err == nil {
			t.StreamARN = arn.text
		}
	}
	b.checkTable(c, t)
	return t
}

func readKeys(c cursor) []KeyElement {
	var out []KeyElement
	for _, k := range c.items() {
		out = append(out, KeyElement{k.at("AttributeName").text(), k.at("KeyType").text()})
	}
	return out
}

func readThroughput(c cursor) (read, write int64) {
	at := c.at("ProvisionedThroughput")
	return int64(at.at("ReadCapacityUnits").integerOr(0)), int64(at.at("WriteCapacityUnits").integerOr(0))
}

func readIndexes(c cursor) []Index {
	var out []Index
	for _, at := range c.items() {
		index := Index{
			Name: at.at("IndexName").text(), KeySchema: readKeys(at.at("KeySchema")),
			Projection:       at.at("Projection").at("ProjectionType").textOr("ALL"),
			NonKeyAttributes: at.at("Projection").at("NonKeyAttributes").texts(),
		}
		index.ReadCapacity, index.WriteCapacity = readThroughput(at)
		out = append(out, index)
	}
	return out
}

// checkTable refuses what DynamoDB refuses about keys (DynamoDB API reference, CreateTable).
func (b *builder) checkTable(c cursor, t *Table) {
	schemas := [][]KeyElement{t.KeySchema}
	for _, index := range slices.Concat(t.GlobalIndexes, t.LocalIndexes) {
		schemas = append(schemas, index.KeySchema)
	}
	used := map[string]bool{}
	for _, keys := range schemas {
		if len(keys) == 0 || keys[0].Type != "HASH" || len(keys) > 2 || len(keys) == 2 && keys[1].Type != "RANGE" {
			c.at("KeySchema").fail("a key is a HASH attribute, and may have a RANGE attribute after it")
			return
		}
		for _, k := range keys {
			used[k.Name] = true
			if !slices.ContainsFunc(t.Attributes, func(a Attribute) bool { return a.Name == k.Name }) {
				c.at("AttributeDefinitions").fail("the key attribute %q is not defined", k.Name)
			}
		}
	}
	for _, a := range t.Attributes {
		if !slices.Contains([]string{"S", "N", "B"}, a.Type) {
			c.at("AttributeDefinitions").fail("the type of %q is %q: S, N or B", a.Name, a.Type)
		}
		if !used[a.Name] {
			c.at("AttributeDefinitions").fail("the attribute %q is in no key: DynamoDB refuses the table", a.Name)
		}
	}
}
