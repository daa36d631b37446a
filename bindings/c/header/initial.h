/** The name of the header that carries a mark. */
#define BACKSTOP_MARK_HEADER "Backstop-Mark"

/** The size of backstop_verdict as it was first published, up to `reserved`; callers that want no more may set it. */
#define BACKSTOP_VERDICT_SIZE_1 352

/** backstop_verdict v = BACKSTOP_VERDICT_INIT; */
#define BACKSTOP_VERDICT_INIT {sizeof(backstop_verdict), 0, 0, -1, -1, 0, 0, {0}, {0}, 0, 0}

/** backstop_srs_options options = BACKSTOP_SRS_OPTIONS_INIT; then change what is to be other. */
#define BACKSTOP_SRS_OPTIONS_INIT \
    {sizeof(backstop_srs_options), '=', 4, 4, 0, 0, BACKSTOP_ALPHABET_CLASSIC, BACKSTOP_OVER_LONG_LEAVE}

/** backstop_envelope envelope = BACKSTOP_ENVELOPE_INIT; then set what is known. */
#define BACKSTOP_ENVELOPE_INIT {sizeof(backstop_envelope), 0, {NULL, 0}, {NULL, 0}}

/** The size of backstop_findings as it was first published, up to `checks`; callers that want no more may set it. */
#define BACKSTOP_FINDINGS_SIZE_1 44

/** backstop_findings findings = BACKSTOP_FINDINGS_INIT; */
#define BACKSTOP_FINDINGS_INIT {sizeof(backstop_findings), 0, 0, 0, 0, 0, 0, 0, -1, 0, 0, 0}

/** backstop_check check = BACKSTOP_CHECK_INIT; */
#define BACKSTOP_CHECK_INIT {sizeof(backstop_check), 0, 0, 0, 0, -1, -1}

/** The size of backstop_decision as it was first published, up to `reply`; callers that want no more may set it. */
#define BACKSTOP_DECISION_SIZE_1 620

/** backstop_decision d = BACKSTOP_DECISION_INIT; */
#define BACKSTOP_DECISION_INIT {sizeof(backstop_decision), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0}, {0}, 0}
