#include "admin/problem.hpp"

#include "admin/text_form.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace sluice::admin {

std::string_view status_title(unsigned status) noexcept {
    switch (status) {
        case 200: return "OK";
        case 201: return "Created";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 413: return "Content Too Large";
        case 415: return "Unsupported Media Type";
        case 431: return "Request Header Fields Too Large";
        case 422: return "Unprocessable Content";
        case 500: return "Internal Server Error";
        case 503: return "Service Unavailable";
        default: return "Error";
    }
}

http_response to_response(const problem& p) {
    boost::json::object body;
    // RFC 9457, section 4.2.1: with "about:blank" the title is the status's own; `code` tells the problems apart.
    body["type"] = "about:blank";
    body["title"] = status_title(p.status);
    body["status"] = p.status;
    body["detail"] = clean_utf8(p.detail);
    body["code"] = p.code;
    if (!p.field.empty()) body["field"] = clean_utf8(p.field);
    return {.status = p.status,
            .content_type = "application/problem+json",
            .headers = {},
            .body = boost::json::serialize(body) + "\n"};
}

problem to_problem(const migration::failure& f) {
    unsigned status = 500;
    if (f.code == "no_such_migration") status = 404;
    if (f.code == "already_running" || f.code == "wrong_state" || f.code == "fixed_option") status = 409;
    if (f.code == "invalid_request") status = 400;
    if (f.code == "unavailable") status = 503;
    return {.status = status, .code = f.code, .detail = f.message, .field = {}};
}

}  // namespace sluice::admin
