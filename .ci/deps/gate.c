/* SPDX-License-Identifier: Apache-2.0 */
/* Links every library of a flavour, uses each once and prints what this libcurl can do. */
#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <expat.h>
#include <jq.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include <zlib.h>

static int check(const char *name, int good)
{
    if (!good)
        fprintf(stderr, "gate: %s does not work\n", name);
    return good ? 0 : 1;
}

static int try_yaml(void)
{
    yaml_parser_t parser;
    yaml_document_t document;
    int good;

    if (!yaml_parser_initialize(&parser))
        return 0;
    yaml_parser_set_input_string(&parser, (const unsigned char *)"a: [1, 2]", 9);
    good = yaml_parser_load(&parser, &document);
    if (good)
        yaml_document_delete(&document);
    yaml_parser_delete(&parser);
    return good;
}

static int try_json(void)
{
    cJSON *json = cJSON_Parse("{\"a\": 1}");
    int good = json && cJSON_GetObjectItemCaseSensitive(json, "a")->valueint == 1;

    cJSON_Delete(json);
    return good;
}

static int try_jq(void)
{
    jq_state *jq = jq_init();
    jv value;
    int good;

    if (!jq || !jq_compile(jq, ".a + 1"))
        return 0;
    jq_start(jq, jv_parse("{\"a\": 41}"), 0);
    value = jq_next(jq);
    good = jv_get_kind(value) == JV_KIND_NUMBER && (int)jv_number_value(value) == 42;
    jv_free(value);
    jq_teardown(&jq);
    return good;
}

static int try_xml(void)
{
    XML_Parser parser = XML_ParserCreate(NULL);
    int good = parser && XML_Parse(parser, "<a/>", 4, 1) == XML_STATUS_OK;

    XML_ParserFree(parser);
    return good;
}

int main(void)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    int failed = 0;

    failed += check("yaml", try_yaml());
    failed += check("json", try_json());
    failed += check("jq", try_jq());
    failed += check("xml", try_xml());
    failed += check("zlib", strcmp(zlibVersion(), ZLIB_VERSION) == 0);
    printf("protocols:");
    for (const char *const *p = info->protocols; *p; p++)
        printf(" %s", *p);
    printf("\nfeatures:");
    for (const char *const *f = info->feature_names; *f; f++)
        printf(" %s", *f);
    printf("\ntls: %.7s\n", info->ssl_version);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
