"""Write the CloudFormation template that AWS's own translator makes of a SAM template, as JSON.

    python3 translate-template.py template.yaml translated.json [Parameter=Value ...]

The translation is what CloudFormation deploys, and the only form in which some mistakes show: a misspelt authorizer is
dropped without a word, and circles between resources appear with the resources that the translator adds. It needs the
Python that the SAM CLI runs on (samcli and samtranslator), no account and no network. The region is AWS_DEFAULT_REGION.
"""

import json
import sys

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

# Where the code would be after `sam package`; the translator takes no local folders.
PACKAGED = "s3://packaged/code.zip"


class NoManagedPolicies:
    """The names of AWS's managed policies are asked of an account. The template spells out its ARNs instead."""

    def load(self):
        return {}


def parameter_values(template, overrides):
    declared = template.get("Parameters", {})
    values = {name: p["Default"] for name, p in declared.items() if "Default" in p}
    for override in overrides:
        name, equals, value = override.partition("=")
        if not equals or name not in declared:
            raise SystemExit(f"translate-template: {override}: want Name=Value with a parameter of the template")
        values[name] = value
    missing = sorted(set(declared) - set(values))
    if missing:
        raise SystemExit(f"translate-template: no value for {', '.join(missing)}; add Name=Value to the command")
    return values


def package(template):
    default = template.get("Globals", {}).get("Function", {})
    if "CodeUri" in default:
        default["CodeUri"] = PACKAGED
    for resource in template.get("Resources", {}).values():
        if resource.get("Type") == "AWS::Serverless::Function" and "CodeUri" in resource.get("Properties", {}):
            resource["Properties"]["CodeUri"] = PACKAGED


def main(arguments):
    if len(arguments) < 2:
        raise SystemExit(__doc__)
    source, target, *overrides = arguments
    with open(source, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    values = parameter_values(template, overrides)
    package(template)
    translated = transform(template, values, NoManagedPolicies())
    with open(target, "w", encoding="utf-8") as file:
        json.dump(translated, file, indent=1)
        file.write("\n")


main(sys.argv[1:])
