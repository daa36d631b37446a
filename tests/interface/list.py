"""Lists the public interface of a crate from rustdoc's JSON, a line for each item: python3 list.py FILE.json

Functions with their signatures, types with their public fields, variants, methods and implemented traits, each by the path by
which a program names it. Left out: documentation, items that are hidden from it, what the compiler implements by itself
(auto traits) or for every type (blanket implementations). A kind of type that this does not know is an error, not a gap.
"""

import json
import sys

crate = json.load(open(sys.argv[1], encoding="utf-8"))
index = crate["index"]
lines = set()


def item(number):
    return index.get(str(number))


def args(given):
    if not given:
        return ""
    if "parenthesized" in given:
        inner = given["parenthesized"]
        output = f" -> {ty(inner['output'])}" if inner["output"] else ""
        return f"({', '.join(map(ty, inner['inputs']))}){output}"
    inner = given["angle_bracketed"]
    parts = []
    for one in inner["args"]:
        kind, value = next(iter(one.items())) if isinstance(one, dict) else (one, None)
        parts.append({"lifetime": str, "type": ty, "const": lambda it: it["expr"]}.get(kind, lambda _: "_")(value))
    for one in inner["constraints"]:
        binding = one["binding"]
        if "equality" in binding:
            parts.append(f"{one['name']} = {ty(binding['equality']['type'])}")
        else:
            parts.append(f"{one['name']}: {bounds(binding['constraint'])}")
    return f"<{', '.join(parts)}>" if parts else ""


def path(it):
    return it["path"].rsplit("::", 1)[-1] + args(it["args"])


def bounds(them):
    parts = []
    for one in them:
        kind, value = next(iter(one.items()))
        if kind == "trait_bound":
            parts.append({"none": "", "maybe": "?", "maybe_const": "~const "}[value["modifier"]] + path(value["trait"]))
        elif kind == "outlives":
            parts.append(value)
        else:
            parts.append("use<..>")
    return " + ".join(parts)


def ty(it):
    kind, value = next(iter(it.items()))
    if kind == "resolved_path":
        return path(value)
    if kind in ("generic", "primitive"):
        return value
    if kind == "tuple":
        return f"({', '.join(map(ty, value))})"
    if kind == "slice":
        return f"[{ty(value)}]"
    if kind == "array":
        return f"[{ty(value['type'])}; {value['len']}]"
    if kind == "borrowed_ref":
        lifetime = f"{value['lifetime']} " if value["lifetime"] else ""
        return f"&{lifetime}{'mut ' if value['is_mutable'] else ''}{ty(value['type'])}"
    if kind == "impl_trait":
        return f"impl {bounds(value)}"
    if kind == "dyn_trait":
        traits = " + ".join(path(one["trait"]) for one in value["traits"])
        return f"dyn {traits}" + (f" + {value['lifetime']}" if value["lifetime"] else "")
    if kind == "qualified_path":
        trait = f" as {path(value['trait'])}" if value["trait"] else ""
        return f"<{ty(value['self_type'])}{trait}>::{value['name']}"
    if kind == "raw_pointer":
        return f"*{'mut' if value['is_mutable'] else 'const'} {ty(value['type'])}"
    if kind == "function_pointer":
        inputs = ", ".join(ty(one) for _, one in value["sig"]["inputs"])
        return f"fn({inputs})" + (f" -> {ty(value['sig']['output'])}" if value["sig"]["output"] else "")
    sys.exit(f"tests/interface/list.py: the kind of type {kind} is not known; teach it")


def generics(them):
    parts = []
    for one in them["params"]:
        kind = one["kind"]
        if "lifetime" in kind:
            outlives = kind["lifetime"]["outlives"]
            parts.append(one["name"] + (f": {' + '.join(outlives)}" if outlives else ""))
        elif "const" in kind:
            parts.append(f"const {one['name']}: {ty(kind['const']['type'])}")
        elif not kind["type"]["is_synthetic"]:
            parts.append(one["name"] + (f": {bounds(kind['type']['bounds'])}" if kind["type"]["bounds"] else ""))
    text = f"<{', '.join(parts)}>" if parts else ""
    clauses = []
    for one in them["where_predicates"]:
        if "bound_predicate" in one:
            clauses.append(f"{ty(one['bound_predicate']['type'])}: {bounds(one['bound_predicate']['bounds'])}")
        else:
            clauses.append(json.dumps(one, sort_keys=True))
    return text, f" where {', '.join(clauses)}" if clauses else ""


def function(name, inner):
    before, where = generics(inner["generics"])
    inputs = ", ".join(f"{name}: {ty(one)}" for name, one in inner["sig"]["inputs"])
    output = f" -> {ty(inner['sig']['output'])}" if inner["sig"]["output"] else ""
    header = inner["header"]
    words = "".join(f"{word} " for word in ("const", "async", "unsafe") if header[f"is_{word}"])
    return f"{words}fn {name}{before}({inputs}){output}{where}"


def is_open(it):
    return it["visibility"] in ("public", "default")


def add(kind, name, more=""):
    lines.add(f"{kind} {name}{more}")


def fields(name, numbers):
    for one in map(item, numbers):
        if one and is_open(one):
            add("field", f"{name}.{one['name']}", f": {ty(one['inner']['struct_field'])}")


def implementations(name, number, numbers):
    for it in filter(None, map(item, numbers)):
        inner = it["inner"]["impl"]
        # Rustdoc tells here what other types make of this one, too; those of the crate have it at their own.
        whose = inner["for"].get("resolved_path", {}).get("id")
        if whose != number and item(whose):
            continue
        to = name if whose == number else ty(inner["for"])
        promised = inner["is_synthetic"] and inner["trait"]["path"] in ("Send", "Sync") and not inner["is_negative"]
        if inner["blanket_impl"] or it["crate_id"] != 0 or (inner["is_synthetic"] and not promised):
            continue
        if inner["trait"]:
            if not inner["trait"]["path"].startswith(("Structural", "TrivialClone")):
                add("impl", f"{path(inner['trait'])} for {to}")
            continue
        for one in filter(None, map(item, inner["items"])):
            if is_open(one):
                member(name, one)


def member(name, it):
    kind, inner = next(iter(it["inner"].items()))
    if kind == "function":
        add(name, function(it["name"], inner))
    elif kind == "assoc_const":
        add("const", f"{name}::{it['name']}", f": {ty(inner['type'])}")
    else:
        add(kind, f"{name}::{it['name']}")


def walk(prefix, it, seen):
    kind, inner = next(iter(it["inner"].items()))
    if kind == "use":
        target = item(inner["id"]) if inner["id"] is not None else None
        if target is None:
            add("use", f"{prefix}::{inner['name']}", f" = {inner['source']}")
        elif inner["is_glob"]:
            for one in filter(None, map(item, target["inner"]["module"]["items"])):
                walk(prefix, one, seen)
        else:
            walk_named(prefix, inner["name"], target, seen)
        return
    if is_open(it) and kind != "impl":
        walk_named(prefix, it["name"], it, seen)


def walk_named(prefix, short, it, seen):
    kind, inner = next(iter(it["inner"].items()))
    name = f"{prefix}::{short}"
    rest = " non_exhaustive" if any("non_exhaustive" in json.dumps(one) for one in it["attrs"]) else ""
    if kind == "module":
        add("mod", name)
        if it["id"] not in seen:
            for one in filter(None, map(item, inner["items"])):
                walk(name, one, seen | {it["id"]})
    elif kind == "function":
        add(prefix, function(short, inner))
    elif kind == "struct":
        add("struct", name, "".join(generics(inner["generics"])) + rest)
        shape = inner["kind"]
        if "plain" in shape:
            fields(name, shape["plain"]["fields"])
        elif "tuple" in shape:
            fields(name, [one for one in shape["tuple"] if one is not None])
        implementations(name, it["id"], inner["impls"])
    elif kind == "enum":
        add("enum", name, "".join(generics(inner["generics"])) + rest)
        for variant in filter(None, map(item, inner["variants"])):
            shape = variant["inner"]["variant"]["kind"]
            add("variant", f"{name}::{variant['name']}", "" if shape == "plain" else f" {next(iter(shape))}")
            if "struct" in shape:
                fields(f"{name}::{variant['name']}", shape["struct"]["fields"])
            elif "tuple" in shape:
                fields(f"{name}::{variant['name']}", [one for one in shape["tuple"] if one is not None])
        implementations(name, it["id"], inner["impls"])
    elif kind == "constant":
        add("const", name, f": {ty(inner['type'])}")
    elif kind == "type_alias":
        add("type", name, f" = {ty(inner['type'])}")
    elif kind == "trait":
        add("trait", name, "".join(generics(inner["generics"])))
        for one in filter(None, map(item, inner["items"])):
            member(name, one)
    else:
        sys.exit(f"tests/interface/list.py: the kind of item {kind} is not known; teach it")


root = item(crate["root"])
for one in filter(None, map(item, root["inner"]["module"]["items"])):
    walk(root["name"], one, frozenset([crate["root"]]))
print("\n".join(sorted(lines)))
