//! Scenarios: what a user of Postern would do and see, over HTTP alone. Each runs natively and in workerd,
//! on the setup that stands before it. A scenario takes fresh numbers and makes its own users: in workerd many
//! share one server, at the same time; those on `alone` have it to themselves.
#![allow(dead_code)]

pub mod account;
pub mod apps;
pub mod carriers;
pub mod custom_delivery;
pub mod email;
pub mod held;
pub mod instance;
pub mod job_1;
pub mod job_2;
pub mod languages;
pub mod parallel;
pub mod passkeys;
pub mod password_resets;
pub mod passwords;
pub mod policy;
pub mod sign_in;
pub mod sign_up;
pub mod tokens;
pub mod voice;
pub mod well_known;

/// Calls a macro with every scenario and its setup.
#[macro_export]
macro_rules! for_each_scenario {
    ($callback:ident) => {
        $callback! {
            null job_1::a_code_is_sent_and_checked;
            null job_1::typed_numbers_and_codes_are_understood;
            null job_1::an_answer_to_another_challenge_than_expected_fails_and_counts;
            null job_1::five_wrong_answers_kill_a_challenge;
            null job_1::a_canceled_challenge_is_dead;
            null job_1::reading_neither_sends_nor_kills;
            null job_1::a_test_number_answers_to_424242;
            null job_1::the_same_call_twice_happens_once;
            null job_2::a_phone_is_enrolled_challenged_listed_and_removed;
            null job_2::a_second_phone_needs_a_proof_of_the_first;
            null job_2::a_challenge_of_another_user_proves_nothing;
            null job_2::deleting_a_user_erases_their_numbers;
            null held::an_authenticator_app_is_enrolled_challenged_listed_and_removed;
            null held::a_hundred_answers_with_one_code_of_an_app_verify_once;
            null held::recovery_codes_replace_a_lost_app_and_are_made_anew;
            null held::fifty_answers_with_one_recovery_code_use_it_once;
            null passwords::a_password_is_set_verified_and_changed;
            null passwords::a_password_proves_a_first_phone_and_no_second_one;
            null passwords::people_move_here_with_their_passwords;
            null policy::a_sign_in_is_evaluated_proven_and_completed;
            null policy::a_hundred_completions_with_one_proof_complete_once;
            null policy::a_remembered_device_stands_in_until_it_is_forgotten;
            null policy::a_reset_forgets_the_devices;
            null policy::an_app_replaces_the_instances_policy;
            null policy::a_grace_is_counted_and_ends;
            null password_resets::a_forgotten_password_is_replaced_and_all_else_ends;
            null password_resets::a_reset_never_skips_the_second_factor;
            null password_resets::nobody_learns_who_is_known;
            alone password_resets::recovery_codes_open_a_reset_and_stand_in_once;
            null sign_in::a_password_and_a_phone_sign_in;
            null sign_in::the_policy_has_an_app_enrolled_and_an_enrolment_is_put_off;
            null sign_in::a_remembered_device_signs_in_with_the_password_alone;
            null sign_in::fifty_right_answers_end_a_flow_once;
            null sign_up::an_address_and_a_password_sign_up_and_in;
            null sign_up::the_address_is_proven_first_and_the_policy_goes_on;
            alone sign_up::a_passkey_signs_up_and_in;
            alone sign_up::a_number_signs_up_where_the_setting_has_it;
            null sign_up::a_known_address_looks_the_same_and_nothing_happens_to_its_owner;
            null sign_up::parallel_sign_ups_with_one_address_make_one_user;
            null apps::an_app_is_made_changed_given_another_secret_and_deleted;
            mail apps::somebody_is_invited_and_the_invitation_taken_back;
            null apps::a_user_signs_in_by_phone_and_is_shut_out;
            null tokens::a_sign_in_becomes_a_session_that_is_refreshed_and_revoked;
            null tokens::sixteen_exchanges_of_one_code_give_one_session_and_end_it;
            null tokens::a_machine_calls_the_server_api;
            null account::people_read_and_change_who_they_are;
            null account::factors_are_added_named_and_removed_each_with_a_fresh_proof;
            null account::a_pending_factor_gets_another_code_and_is_given_up_without_a_proof;
            null account::another_password_ends_the_other_sessions_and_not_this_one;
            null account::the_address_moves_once_the_new_one_is_proven;
            null account::an_address_that_somebody_has_looks_free_until_it_is_proven;
            null account::a_number_moves_as_an_address_does;
            null account::sessions_are_listed_and_ended;
            null account::a_step_up_gives_tokens_that_say_so;
            null account::a_hundred_changes_with_one_proof_are_one;
            null parallel::two_hundred_wrong_answers_evaluate_five;
            null parallel::fifty_right_answers_verify_once;
            null parallel::a_hundred_sends_stay_within_each_limit;
            null parallel::ten_users_with_one_address_are_one;
            null email::a_code_goes_to_an_address_and_is_checked;
            null email::a_mailbox_is_enrolled_challenged_listed_and_removed;
            null email::a_mailbox_proves_no_change_while_there_is_a_phone;
            null email::a_users_own_address_is_proven;
            null email::a_code_sent_before_the_address_changed_proves_nothing;
            null email::deleting_a_user_erases_their_addresses;
            mail email::a_provider_gets_what_it_wants;
            mail email::a_providers_errors_are_told_and_a_failed_enrolment_leaves_nothing;
            mail email::a_silent_provider_leaves_the_mail_unknown_and_the_code_alive;
            mail email::the_address_on_the_user_hears_of_every_change;
            mail languages::a_mail_is_in_the_language_asked_for_and_goes_its_way;
            dev_mail email::outside_prod_every_mail_goes_to_the_receiver;
            alone email::the_switch_of_email_stops_email_alone;
            alone instance::the_kill_switch_stops_sending_at_once;
            alone instance::a_key_works_within_its_scopes_until_it_is_revoked;
            alone passkeys::a_passkey_is_enrolled_challenged_listed_and_removed;
            alone passkeys::any_of_several_answers_and_says_which;
            alone passkeys::whoever_has_a_passkey_signs_in_without_a_name;
            alone passkeys::every_algorithm_signs_in;
            alone passkeys::one_assertion_of_a_hundred_passes;
            alone instance::calls_take_as_many_round_trips_as_the_law_allows;
            dev_twilio instance::a_carrier_takes_one_more_round_trip_after_it_answered;
            twilio carriers::twilio_gets_what_it_wants;
            twilio carriers::twilios_errors_are_told_with_their_remedy;
            twilio carriers::a_silent_carrier_leaves_the_message_unknown_and_the_code_alive;
            twilio carriers::a_failed_enrolment_leaves_nothing;
            twilio languages::an_sms_is_in_the_language_asked_for;
            vonage carriers::vonage_gets_what_it_wants;
            vonage carriers::vonages_errors_are_told_with_their_remedy;
            dev_twilio carriers::outside_prod_everything_goes_to_the_receiver;
            both carriers::another_carrier_takes_over_and_one_that_fails_is_not_waited_for;
            twilio voice::a_call_tells_the_code_after_a_key;
            twilio voice::a_call_speaks_the_language_asked_for_else_the_users;
            twilio voice::a_landline_is_offered_a_call;
            twilio voice::a_phone_is_enrolled_by_a_call;
            twilio voice::a_call_that_is_refused_leaves_no_live_code;
            vonage voice::vonage_calls_and_tells_the_code_after_a_key;
            vonage voice::vonages_refusals_of_calls_are_told;
            dev_twilio voice::outside_prod_the_receiver_is_called;
            null voice::the_inbox_shows_what_would_be_said;
            alone voice::voice_and_sms_are_switched_apart;
            hook custom_delivery::an_endpoint_is_asked_to_send_and_to_call;
            hook custom_delivery::an_endpoint_that_stumbles_is_asked_once_more;
            verify custom_delivery::verify_sends_our_code_and_hears_what_became_of_it;
            verify custom_delivery::verifys_errors_are_told_with_their_remedy;
            null well_known::discovery_names_the_keys_and_they_are_there;
        }
    };
}
