package stack

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// typesOf lists the types of the services that decide who may call what here, or that templates with REST APIs are made of
// (CloudFormation template reference, SAM developer guide). CloudFormation refuses any other; read without a word, a
// misspelt role would be no role and a misspelt web ACL no wall.
var typesOf = map[string]string{
	"Serverless": "Api Application CapacityProvider Connector Function GraphQLApi HttpApi LayerVersion MicrovmImage NetworkConnector " +
		"SimpleTable StateMachine WebFunction WebSocketApi",
	"ApiGateway": "Account ApiKey Authorizer BasePathMapping BasePathMappingV2 ClientCertificate Deployment DocumentationPart " +
		"DocumentationVersion DomainName DomainNameAccessAssociation DomainNameV2 GatewayResponse Method Model RequestValidator Resource " +
		"RestApi Stage UsagePlan UsagePlanKey VpcLink",
	"ApiGatewayV2": "Api ApiGatewayManagedOverrides ApiMapping Authorizer Deployment DomainName Integration IntegrationResponse Model " +
		"PortalProduct Route RouteResponse RoutingRule Stage VpcLink",
	"Lambda": "Alias CapacityProvider CodeSigningConfig EventInvokeConfig EventSourceMapping Function LayerVersion LayerVersionPermission " +
		"MicrovmImage NetworkConnector Permission ResourcePolicy Url Version WebFunction WebFunctionEndpoint WebFunctionRevision",
	"IAM": "AccessKey Group GroupPolicy InstanceProfile ManagedPolicy OIDCProvider Policy Role RolePolicy SAMLProvider ServerCertificate " +
		"ServiceLinkedRole User UserPolicy UserToGroupAddition VirtualMFADevice",
	"Organizations": "Account Organization OrganizationalUnit Policy ResourcePolicy",
	"WAF":           "ByteMatchSet IPSet Rule SizeConstraintSet SqlInjectionMatchSet WebACL XssMatchSet",
	"WAFRegional": "ByteMatchSet GeoMatchSet IPSet RateBasedRule RegexPatternSet Rule SizeConstraintSet SqlInjectionMatchSet WebACL " +
		"WebACLAssociation XssMatchSet",
	"WAFv2": "IPSet LoggingConfiguration RegexPatternSet RuleGroup WebACL WebACLAssociation",
	"CloudFormation": "ChangeSet CustomResource GeneratedTemplate GuardHook HookDefaultVersion HookTypeConfig HookVersion LambdaHook Macro " +
		"ModuleDefaultVersion ModuleVersion PublicTypeVersion Publisher ResourceDefaultVersion ResourceVersion Stack StackSet " +
		"TypeActivation WaitCondition WaitConditionHandle",
	"DynamoDB": "Backup GlobalTable Table",
	"Logs": "AccountPolicy Delivery DeliveryDestination DeliverySource Destination Integration LogAnomalyDetector LogGroup LogStream " +
		"MetricFilter QueryDefinition ResourcePolicy ScheduledQuery StorageTierPolicy SubscriptionFilter Transformer",
	"StepFunctions": "Activity StateMachine StateMachineAlias StateMachineVersion",
	"EC2":           ec2Types,
}

// ec2Types are many, and of most nothing is read here but that they exist.
const ec2Types = "ApplicationStatusCheck CapacityManagerDataExport CapacityReservation CapacityReservationFleet CarrierGateway " +
	"ClientVpnAuthorizationRule ClientVpnEndpoint ClientVpnRoute ClientVpnTargetNetworkAssociation CustomerGateway DHCPOptions EC2Fleet EIP " +
	"EIPAssociation EgressOnlyInternetGateway EnclaveCertificateIamRoleAssociation FlowLog FpgaImage GatewayRouteTableAssociation Host IPAM " +
	"IPAMAllocation IPAMPool IPAMPoolCidr IPAMPrefixListResolver IPAMPrefixListResolverTarget IPAMResourceDiscovery " +
	"IPAMResourceDiscoveryAssociation IPAMScope IPv4Pool Instance InstanceConnectEndpoint InstanceEventWindow InternetGateway " +
	"IpPoolRouteTableAssociation IpamExternalResourceVerificationToken IpamInternetRegistryAssociation KeyPair LaunchTemplate " +
	"LocalGatewayRoute LocalGatewayRouteTable LocalGatewayRouteTableVPCAssociation " +
	"LocalGatewayRouteTableVirtualInterfaceGroupAssociation LocalGatewayVirtualInterface LocalGatewayVirtualInterfaceGroup NatGateway " +
	"NetworkAcl NetworkAclEntry NetworkInsightsAccessScope NetworkInsightsAccessScopeAnalysis NetworkInsightsAnalysis NetworkInsightsPath " +
	"NetworkInterface NetworkInterfaceAttachment NetworkInterfacePermission NetworkPerformanceMetricSubscription PlacementGroup PrefixList " +
	"Route RouteServer RouteServerAssociation RouteServerEndpoint RouteServerPeer RouteServerPropagation RouteTable SecondaryNetwork " +
	"SecurityGroup SecurityGroupEgress SecurityGroupIngress SecurityGroupVpcAssociation SnapshotBlockPublicAccess SpotFleet " +
	"SqlHaStandbyDetectedInstance Subnet SubnetCidrBlock SubnetCidrReservation SubnetNetworkAclAssociation SubnetRouteTableAssociation " +
	"TrafficMirrorFilter TrafficMirrorFilterRule TrafficMirrorSession TrafficMirrorTarget TransitGateway TransitGatewayAttachment " +
	"TransitGatewayConnect TransitGatewayConnectPeer TransitGatewayMeteringPolicy TransitGatewayMeteringPolicyEntry " +
	"TransitGatewayMulticastDomain TransitGatewayMulticastDomainAssociation TransitGatewayMulticastGroupMember " +
	"TransitGatewayMulticastGroupSource TransitGatewayPeeringAttachment TransitGatewayPolicyTable TransitGatewayPolicyTableAssociation " +
	"TransitGatewayPolicyTableEntry TransitGatewayRoute TransitGatewayRouteTable TransitGatewayRouteTableAssociation " +
	"TransitGatewayRouteTablePropagation TransitGatewayVpcAttachment VPC VPCBlockPublicAccessExclusion VPCBlockPublicAccessOptions " +
	"VPCCidrBlock VPCDHCPOptionsAssociation VPCEncryptionControl VPCEndpoint VPCEndpointConnectionNotification VPCEndpointService " +
	"VPCEndpointServicePermissions VPCGatewayAttachment VPCPeeringConnection VPNConcentrator VPNConnection VPNConnectionRoute VPNGateway " +
	"VPNGatewayRoutePropagation VerifiedAccessEndpoint VerifiedAccessGroup VerifiedAccessInstance VerifiedAccessTrustProvider Volume " +
	"VolumeAttachment"

// lenientServices have types that say nothing of who may call what, but for those that are known here: one that AWS may have
// learnt since is left out with a warning.
var lenientServices = []string{"CloudFormation", "DynamoDB", "EC2", "Logs", "StepFunctions"}

// The forms of a type: AWS's own, a registered one of somebody else's, a module, and a custom resource (CloudFormation user
// guide, CloudFormation registry; template reference, AWS::CloudFormation::CustomResource).
var (
	typeForm   = regexp.MustCompile(`^[A-Za-z0-9]{2,64}::[A-Za-z0-9]{2,64}::[A-Za-z0-9]{2,64}(::MODULE)?$`)
	customForm = regexp.MustCompile(`^Custom::[A-Za-z0-9_@:-]{1,60}$`)
)

const moduleSuffix = "::MODULE"

// checkType refuses a type that CloudFormation would refuse.
func (b *builder) checkType(r *resource, pos Position) {
	if customForm.MatchString(r.typ) {
		return
	}
	if !typeForm.MatchString(r.typ) {
		b.fail(pos, r.id, "Type", "%q is not a type of a resource: AWS::Service::Name, Custom::Name, or one that is registered", r.typ)
		return
	}
	parts := strings.Split(r.typ, "::")
	if !strings.EqualFold(parts[0], "AWS") || strings.HasSuffix(r.typ, moduleSuffix) {
		return
	}
	service, name := parts[1], parts[2]
	list, read := typesOf[service]
	if !read || parts[0] != "AWS" {
		if meant := likeService(service, name); meant != "" {
			b.fail(pos, r.id, "Type", "AWS has no type %s: AWS::%s::%s?", r.typ, meant, cmp.Or(nearest(name, strings.Fields(typesOf[meant])), name))
		} else if parts[0] != "AWS" {
			b.fail(pos, r.id, "Type", "AWS has no type %s: its types start with AWS::", r.typ)
		}
		return
	}
	known := strings.Fields(list)
	if slices.Contains(known, name) {
		return
	}
	meant := nearest(name, known)
	switch {
	case meant != "":
		b.fail(pos, r.id, "Type", "AWS has no type %s: AWS::%s::%s?", r.typ, service, meant)
	case slices.Contains(lenientServices, service):
		b.warn(pos, r.id, "Type", "not a type of AWS::"+service+" that is known here: it is not read")
	default:
		b.fail(pos, r.id, "Type", "%s is not a type that is known here: AWS refuses it, or has learnt it since, and it may say who may call what; "+
			"leave it out. AWS::%s has %s", r.typ, service, strings.Join(known, ", "))
	}
}

// likeService finds the service of typesOf that a misspelt one stands for. Services are many and their names short, so the
// type has to be one of it, too, and a name of three letters (IAM, IoT) stands for no other.
func likeService(service, name string) string {
	best, least := "", 3
	for _, known := range sortedKeys(typesOf) {
		names := strings.Fields(typesOf[known])
		if strings.EqualFold(service, known) {
			return known
		}
		if d := distance(service, known); d < least && d <= len(known)/4 && slices.Contains(names, name) {
			best, least = known, d
		}
	}
	return best
}
