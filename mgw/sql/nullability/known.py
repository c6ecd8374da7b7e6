"""PostgreSQL's own functions whose results are known, as data.

A function that is strict answers NULL to NULL; it may answer NULL to anything else as well (`regexp_match`, `->`,
`array_length` of an empty array, `extract` from infinity, `scale('NaN')`). So each function stands here by name only
because it was found never to do so: read in the documentation and the source, and called by a test with awkward
values. Where only some of the functions of a name qualify, those stand with their argument types.

Only functions of `pg_catalog` are meant, whoever else uses the name.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COMPARED = _words("""
    bool char name int2 int4 int8 int24 int42 int28 int82 int48 int84 oid oidvector tid xid8
    text bpchar bytea float4 float8 float48 float84 bit varbit
""")
_COMPARED_WITH_UNDERSCORE = _words("""
    text numeric cash date time timetz timestamp timestamptz interval uuid network macaddr macaddr8 pg_lsn enum array
    record range multirange jsonb tsvector tsquery
""")
_SIX = ("eq", "ne", "lt", "le", "gt", "ge")

COMPARISONS = frozenset(
    [f"{type_}{operator}" for type_ in _COMPARED for operator in _SIX]
    + [f"{type_}_{operator}" for type_ in _COMPARED_WITH_UNDERSCORE for operator in _SIX]
    + [
        f"{left}_{operator}_{right}"
        for left, right in (
            ("date", "timestamp"),
            ("date", "timestamptz"),
            ("timestamp", "date"),
            ("timestamp", "timestamptz"),
            ("timestamptz", "date"),
            ("timestamptz", "timestamp"),
        )
        for operator in _SIX
    ]
    + [f"{left}{operator}{right}" for left, right in (("name", "text"), ("text", "name")) for operator in _SIX]
    + ["xideq", "xidneq", "xideqint4", "xidneqint4", "cideq"]
)

_ARITHMETIC = [
    f"{type_}{operator}"
    for type_ in ("int2", "int4", "int8", "int24", "int42", "int28", "int82", "int48", "int84")
    for operator in ("pl", "mi", "mul", "div", "mod", "and", "or", "xor", "not", "shl", "shr", "um", "up", "abs", "inc")
] + [
    f"{type_}{operator}"
    for type_ in ("float4", "float8", "float48", "float84")
    for operator in ("pl", "mi", "mul", "div", "um", "up", "abs")
]  # fmt: skip

# Never NULL where no argument is.
TOTAL = COMPARISONS | frozenset(_ARITHMETIC) | _words("""
    numeric_add numeric_sub numeric_mul numeric_div numeric_mod numeric_uminus numeric_uplus numeric_abs numeric_power
    dpow dsqrt dcbrt cash_pl cash_mi cash_div_cash cash_mul_int4 cash_mul_int8 cash_div_int4 cash_div_int8
    abs ceil ceiling floor round trunc sqrt cbrt exp ln log log10 power pow mod div sign gcd lcm factorial
    sin cos tan asin acos atan atan2 sinh cosh tanh asinh cot degrees radians width_bucket trim_scale to_hex

    textcat anytextcat textanycat byteacat bitcat tsvector_concat jsonb_concat
    textlike textnlike texticlike texticnlike bpcharlike bpcharnlike bpchariclike bpcharicnlike namelike namenlike
    nameiclike nameicnlike bytealike byteanlike like notlike like_escape similar_to_escape
    textregexeq textregexne texticregexeq texticregexne bpcharregexeq bpcharregexne bpcharicregexeq bpcharicregexne
    nameregexeq nameregexne nameicregexeq nameicregexne
    text_pattern_lt text_pattern_le text_pattern_gt text_pattern_ge starts_with
    length char_length character_length octet_length bit_length textlen
    initcap casefold left right lpad rpad ltrim rtrim btrim replace translate reverse repeat substr overlay
    split_part strpos position ascii chr md5 sha224 sha256 sha384 sha512 encode decode convert_from convert_to
    quote_ident quote_literal regexp_replace regexp_split_to_array regexp_count regexp_like regexp_instr normalize
    is_normalized unistr get_bit set_bit get_byte set_byte bit_count bitand bitor bitxor bitnot
    bitshiftleft bitshiftright

    date_pli date_mii date_mi integer_pl_date date_pl_interval date_mi_interval interval_pl_date datetime_pl timedate_pl
    datetimetz_pl timetzdate_pl timestamp_pl_interval timestamp_mi_interval timestamptz_pl_interval
    timestamptz_mi_interval interval_pl_timestamp interval_pl_timestamptz timestamp_mi timestamptz_mi
    interval_pl interval_mi interval_mul interval_div interval_um mul_d_interval
    time_pl_interval time_mi_interval time_mi_time timetz_pl_interval timetz_mi_interval interval_pl_time
    interval_pl_timetz date_trunc date_bin isfinite justify_days justify_hours justify_interval
    make_date make_time make_timestamp make_timestamptz make_interval timezone date_add date_subtract

    arrayoverlap arraycontains arraycontained cardinality array_to_json array_to_string string_to_array array_append
    array_prepend array_cat array_remove array_replace array_positions array_fill array_reverse array_sort trim_array
    range_overlaps range_contains range_contained_by range_contains_elem elem_contained_by_range range_before
    range_after range_overleft range_overright range_adjacent range_union range_intersect range_minus range_merge
    isempty lower_inc upper_inc lower_inf upper_inf
    multirange_contains_elem multirange_contains_range multirange_contains_multirange
    multirange_overlaps_multirange multirange_overlaps_range range_overlaps_multirange elem_contained_by_multirange
    range_contained_by_multirange multirange_union multirange_minus multirange_intersect

    jsonb_contains jsonb_contained jsonb_exists jsonb_exists_any jsonb_exists_all jsonb_delete jsonb_delete_path
    jsonb_set jsonb_insert jsonb_pretty jsonb_typeof json_typeof jsonb_array_length json_array_length jsonb_strip_nulls
    json_strip_nulls to_json to_jsonb row_to_json json_object jsonb_object

    ts_match_vq ts_match_qv ts_match_tt ts_match_tq to_tsvector to_tsquery plainto_tsquery phraseto_tsquery
    websearch_to_tsquery ts_rank ts_rank_cd ts_headline setweight strip numnode tsquery_and tsquery_or tsquery_not

    network_sub network_subeq network_sup network_supeq network_overlap host masklen netmask network broadcast family
    hostmask abbrev set_masklen inet_same_family inet_merge inetpl inetmi inetmi_int8

    nextval currval setval set_config random_normal uuidv7
    int2larger int2smaller int4larger int4smaller int8larger int8smaller
    format_type to_bin to_oct cash_words erf erfc
    """) | frozenset({
    "age(timestamp with time zone)", "age(timestamp without time zone)",
    "age(timestamp with time zone, timestamp with time zone)",
    "age(timestamp without time zone, timestamp without time zone)",
    "current_setting(text)",
    "lower(text)", "upper(text)",
    "substring(text, integer)", "substring(text, integer, integer)",
    "substring(bytea, integer)", "substring(bytea, integer, integer)",
    "substring(bit, integer)", "substring(bit, integer, integer)",
    "to_char(bigint, text)", "to_char(integer, text)", "to_char(numeric, text)", "to_char(real, text)",
    "to_char(double precision, text)",
    "to_timestamp(double precision)",
    "date_part(text, time without time zone)", "extract(text, time without time zone)",
    "date_part(text, time with time zone)", "extract(text, time with time zone)",
    "random(integer, integer)", "random(bigint, bigint)", "random(numeric, numeric)",
    # Casts. Those from jsonb are missing: from version 18 on, JSON's null becomes NULL. So are those from a
        # timestamp to its time, which an infinite one has not.
    "bool(integer)",
    "int2(integer)", "int2(bigint)", "int2(real)", "int2(double precision)", "int2(numeric)",
    "int4(smallint)", "int4(bigint)", "int4(real)", "int4(double precision)", "int4(numeric)", "int4(boolean)",
    'int4("char")', "int4(bit)",
    "int8(smallint)", "int8(integer)", "int8(real)", "int8(double precision)", "int8(numeric)", "int8(oid)",
    "int8(bit)",
    "float4(smallint)", "float4(integer)", "float4(bigint)", "float4(double precision)", "float4(numeric)",
    "float8(smallint)", "float8(integer)", "float8(bigint)", "float8(real)", "float8(numeric)",
    "numeric(smallint)", "numeric(integer)", "numeric(bigint)", "numeric(real)", "numeric(double precision)",
    "numeric(numeric, integer)", "numeric(money)", "money(integer)", "money(bigint)", "money(numeric)", "oid(bigint)",
    "text(character)", "text(name)", "text(boolean)", "text(inet)", "text(xml)", 'text("char")',
    "varchar(character varying, integer, boolean)", "varchar(name)", "bpchar(character, integer, boolean)",
    'bpchar("char")', "bpchar(name)", "name(text)", "name(character)", "name(character varying)",
    "bit(bit, integer, boolean)", "bit(integer, integer)", "bit(bigint, integer)",
    "varbit(bit varying, integer, boolean)",
    "date(timestamp with time zone)", "date(timestamp without time zone)", "time(time without time zone, integer)",
    "time(time with time zone)", "time(interval)", "timetz(time without time zone)",
    "timetz(time with time zone, integer)",
    "timestamp(date)", "timestamp(date, time without time zone)", "timestamp(timestamp with time zone)",
    "timestamp(timestamp without time zone, integer)",
    "timestamptz(date)", "timestamptz(date, time without time zone)", "timestamptz(date, time with time zone)",
    "timestamptz(timestamp without time zone)", "timestamptz(timestamp with time zone, integer)",
    "interval(interval, integer)", "interval(time without time zone)",
    "cidr(inet)", "macaddr(macaddr8)", "macaddr8(macaddr)", "regclass(text)",
})  # fmt: skip

# An infinite time makes both NULL, but in these units, which grow with time, infinite as well.
INFINITE_UNITS = frozenset({"epoch", "year", "decade", "century", "millennium", "julian", "isoyear"})
EXTRACTS = frozenset(
    f"{name}(text, {type_})"
    for name in ("extract", "date_part")
    for type_ in ("date", "timestamp with time zone", "timestamp without time zone", "interval")
)

# Never NULL, whatever the arguments are.
ALWAYS = _words("""
    now transaction_timestamp statement_timestamp clock_timestamp timeofday gen_random_uuid uuidv4 version pi
    current_database session_user current_user getdatabaseencoding pg_backend_pid pg_postmaster_start_time
    txid_current pg_current_xact_id pg_typeof quote_nullable
    concat json_build_object jsonb_build_object json_build_array jsonb_build_array num_nulls num_nonnulls
    int4range int8range numrange tsrange tstzrange daterange lastval
    int4multirange int8multirange nummultirange tsmultirange tstzmultirange datemultirange
    """) | {"random()"}

# Never NULL where the first arguments, so many of them, are not; these are not strict.
LEADING = {
    "array_append": 0,
    "array_prepend": 0,
    "array_remove": 1,
    "array_replace": 1,
    "array_positions": 1,
    "array_to_string": 2,
    "string_to_array": 1,
    "concat_ws": 1,
    "format": 1,
}

# Set-returning functions whose single column is never NULL: given NULL they return no row at all.
ROWS = _words("""
    generate_series generate_subscripts regexp_split_to_table jsonb_object_keys json_object_keys
    jsonb_array_elements json_array_elements jsonb_path_query regexp_matches
    """)

# Columns that are never NULL in set-returning functions with several.
ROW_COLUMNS = {
    "json_each": (True, True),
    "jsonb_each": (True, True),
    "json_each_text": (True, False),
    "jsonb_each_text": (True, False),
}

# Aggregates that are not NULL even over no rows.
COUNTS = frozenset({"count", "regr_count"})

# Aggregates that are NULL only over no rows, or only NULLs: never over a group, where what they read is not NULL.
AGGREGATES = _words("""
    min max sum avg bool_and bool_or every bit_and bit_or bit_xor array_agg string_agg json_agg jsonb_agg
    json_object_agg jsonb_object_agg json_agg_strict jsonb_agg_strict json_object_agg_strict jsonb_object_agg_strict
    json_object_agg_unique jsonb_object_agg_unique json_object_agg_unique_strict jsonb_object_agg_unique_strict
    stddev_pop var_pop range_agg any_value percentile_disc percentile_cont mode
    """)

# Of those, the ones that count NULLs among their values: over a group they are never NULL.
COLLECTING = _words("""
    array_agg json_agg jsonb_agg json_object_agg jsonb_object_agg json_agg_strict jsonb_agg_strict
    json_object_agg_strict jsonb_object_agg_strict json_object_agg_unique jsonb_object_agg_unique
    json_object_agg_unique_strict jsonb_object_agg_unique_strict
    """)

# Of an array argument, array_agg makes an array of arrays, which cannot hold a NULL: that is an error, not NULL.

# Window functions that are never NULL, and those that are not where their frame holds the current row.
RANKS = frozenset({"row_number", "rank", "dense_rank", "percent_rank", "cume_dist"})
EDGES = frozenset({"first_value", "last_value"})
NEIGHBOURS = frozenset({"lag", "lead"})
# Ordered-set aggregates for a hypothetical row: `rank(x) WITHIN GROUP (…)`, which have an answer over no rows as well.
HYPOTHETICAL = frozenset({"rank", "dense_rank", "percent_rank", "cume_dist"})
